import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join, parse } from "node:path";
import { whatWasRead } from "@tinygptv/model/disk";
import { jsonEntries, jsonLines } from "../jsonRecords.ts";
import { listItems, listRecords, type Format } from "../listed.ts";
import { dataError, reporting, type Report } from "../mistakes.ts";
import { picturesIn } from "../pictures.ts";
import type { ListedSet } from "../sample.ts";
import { readOwnRow, type OwnItem } from "./row.ts";

/** Which part of a folder: what is learnt, or what it is held against. */
export type Split = "train" | "valid";

const extensions: readonly string[] = [".jsonl", ".json"];

/**
 * The file of a folder that holds a part of it: `train.jsonl` or `train.json`, `valid.jsonl`
 * or `valid.json`. Undefined where there is none, or where `data` is a file itself.
 */
export async function findSplit(data: string, split: Split): Promise<string | undefined> {
  const names = await readdir(data).catch((): string[] => []);
  const name = extensions.map((extension) => split + extension).find((one) => names.includes(one));
  return name && join(data, name);
}

/**
 * One's own data: a file of rows (`.jsonl`, or a list in `.json`), or a folder. In a folder
 * what is learnt is in `train.jsonl`, `train.json` or `metadata.jsonl`, the first there is, or
 * else in its pictures, each with a text file of its name.
 *
 * @param images folder of the pictures; that of the file where it is not given
 */
export async function openOwn(
  data: string,
  images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  const open = (await isFolder(data)) ? openFolder : openFile;
  return open(data, images, report);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw dataError(path, `want a file or folder, got ${whatWasRead(error)}`, error);
  }
}

async function openFolder(
  folder: string,
  images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  const names = await readdir(folder);
  const metadata = names.includes("metadata.jsonl") ? join(folder, "metadata.jsonl") : undefined;
  const file = (await findSplit(folder, "train")) ?? metadata;
  return file === undefined ? openCaptions(folder, names, report) : openFile(file, images, report);
}

async function openFile(
  path: string,
  images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  const pictures = picturesIn(images ?? dirname(path));
  const format: Format<OwnItem> = {
    items: async (row, place) => [await readOwnRow(row, place, pictures)],
    sample: (item) => item,
  };
  const extension = extname(path);
  if (!extensions.includes(extension))
    throw dataError(
      basename(path),
      `want a file of rows (${extensions.join(", ")}), got ${extension || "no extension"}`,
    );
  return listRecords(
    extension === ".jsonl" ? jsonLines(path) : jsonEntries(path, "data"),
    format,
    report,
  );
}

const pictureExtensions = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"];

/** `dog.png` with `dog.txt`: a picture and what it shows. */
async function openCaptions(
  folder: string,
  names: readonly string[],
  report: Report,
): Promise<ListedSet> {
  const pictures = names
    .filter((name) => pictureExtensions.includes(extname(name).toLowerCase()))
    .toSorted();
  if (pictures.length === 0)
    throw dataError(
      folder,
      "want train.jsonl, train.json, metadata.jsonl or pictures with a text file each, got none",
    );
  const items: (OwnItem & { place: string })[] = [];
  for (const name of pictures) {
    const caption = `${parse(name).name}.txt`;
    await reporting(report, async () => {
      if (!names.includes(caption))
        throw dataError(name, `want its text in ${caption}, got no such file`);
      const answer = (await readFile(join(folder, caption), "utf8")).trim();
      if (answer === "") throw dataError(caption, "want a text, got an empty one");
      const rounds = [{ instruction: undefined, answer }];
      items.push({ place: name, picture: join(folder, name), rounds });
    });
  }
  return listItems(items, ({ picture, rounds }) => ({ picture, rounds }));
}
