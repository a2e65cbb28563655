/** Notebooks from files a person opens. */
import { fromIpynb, unpackNotebook } from "@tinygptv/notebook";
import type { OpenedNotebook } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import { keepPicture } from "#lib/storage/pictures.ts";
import { readZip } from "./zip.ts";

const maxFileBytes = 100_000_000;

const readers: Readonly<Record<string, (file: File) => Promise<OpenedNotebook>>> = {
  ".md": async (file) =>
    unpackNotebook(await file.text(), file.name, () => Promise.resolve(undefined)),
  ".ipynb": readIpynb,
  ".zip": (file) => readZip(file, maxFileBytes),
};

/** `.md, .ipynb, .zip` */
export const notebookExtensions = Object.keys(readers).join(", ");

const readerOf = ({ name }: File): ((file: File) => Promise<OpenedNotebook>) | undefined =>
  readers[/\.[^.]*$/.exec(name.toLowerCase())?.[0] ?? ""];

export const isNotebookFile = (file: File): boolean => readerOf(file) !== undefined;

/** @throws TinyGptvError naming the file and what is wrong with it */
export async function readNotebookFile(file: File): Promise<OpenedNotebook> {
  const read = readerOf(file);
  if (read === undefined)
    throw new TinyGptvError("parameter", `${file.name} is not a notebook (${notebookExtensions})`);
  if (file.size > maxFileBytes)
    throw new TinyGptvError(
      "parameter",
      `${file.name} has ${Math.ceil(file.size / 1e6)} MB; a notebook may have ${maxFileBytes / 1e6}`,
    );
  return read(file);
}

async function readIpynb(file: File): Promise<OpenedNotebook> {
  const { notebook, outputs, pictures, remarks } = fromIpynb(await file.text(), file.name);
  for (const bytes of pictures.values()) await keepPicture(bytes);
  return { notebook, outputs, remarks };
}
