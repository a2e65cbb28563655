/** A notebook's file: Markdown with a side folder, or Jupyter's format with everything in it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readText, whatWasRead } from "@tinygptv/model/disk";
import {
  fromIpynb,
  isKeptContent,
  packNotebook,
  sideFileName,
  unpackNotebook,
  withOutputs,
} from "@tinygptv/notebook";
import type { Notebook, OutputOf, Remark } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";

export interface OpenFile {
  notebook: Notebook;
  /** What was not taken as it stands. */
  remarks: Remark[];
  /** Bytes of a picture cell's file. */
  readPicture: (file: string) => Promise<Uint8Array>;
  /** Puts outputs into the file. */
  save: (outputOf: OutputOf) => Promise<void>;
}

/** @throws TinyGptvError "parameter" naming the file and what is wrong in it */
export const openFile = (file: string): Promise<OpenFile> =>
  file.endsWith(".ipynb") ? openIpynb(file) : openMarkdown(file);

async function openMarkdown(file: string): Promise<OpenFile> {
  const folder = file.replace(/\.md$/, ".files");
  const readSide = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const { notebook, remarks } = await unpackNotebook(
    await readNotebook(file),
    basename(file),
    readSide,
  );
  const readPicture = (name: string) =>
    readPictureFile(
      name,
      isKeptContent(name) ? join(folder, sideFileName(name)) : resolve(dirname(file), name),
    );
  return {
    notebook,
    remarks,
    readPicture,
    save: async (outputOf) => {
      const packed = await packNotebook(notebook, outputOf, readPicture);
      await mkdir(folder, { recursive: true });
      for (const [name, bytes] of packed.files) await writeFile(join(folder, name), bytes);
      await writeFile(file, packed.markdown);
    },
  };
}

async function openIpynb(file: string): Promise<OpenFile> {
  const json = await readNotebook(file);
  const { notebook, pictures, remarks } = fromIpynb(json, basename(file));
  return {
    notebook,
    remarks,
    readPicture: async (name) =>
      pictures.get(name) ?? (await readPictureFile(name, resolve(dirname(file), name))),
    save: (outputOf) => writeFile(file, withOutputs(json, notebook, outputOf)),
  };
}

const readNotebook = (file: string): Promise<string> =>
  readText(file).catch((cause: unknown) => {
    throw new TinyGptvError("io", `${file}: want a notebook, got ${whatWasRead(cause)}`, { cause });
  });

const readPictureFile = (name: string, path: string): Promise<Uint8Array> =>
  readFile(path).catch((cause: unknown) => {
    throw new TinyGptvError("image", `${name}: want a picture, got ${whatWasRead(cause)}`, {
      cause,
      subject: name,
    });
  });
