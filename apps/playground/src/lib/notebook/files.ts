/** Notebooks as files a person downloads and opens. */
import { strToU8, unzipSync, zipSync } from "fflate";
import { TinyGptvError } from "tinygptv/errors";
import {
  fromIpynb,
  packNotebook,
  toIpynb,
  unpackNotebook,
  type Notebook,
  type Output,
} from "tinygptv/notebook";
import type { NotebookState } from "#lib/state/notebook.svelte.ts";
import { readPicture } from "#lib/storage/pictures.ts";
import { toHtml } from "./html.ts";
import { keepPictures } from "./share.ts";

const maxFileBytes = 100_000_000;

const writers = {
  markdown: writeMarkdown,
  ipynb: (notebook: NotebookState, name: string) =>
    Promise.resolve(
      new File([toIpynb(notebook.snapshot(), notebook.outputOf)], `${name}.ipynb`, {
        type: "application/x-ipynb+json",
      }),
    ),
  html: async (notebook: NotebookState, name: string) =>
    new File([await toHtml(notebook, readPicture)], `${name}.html`, { type: "text/html" }),
};

export async function downloadNotebook(
  notebook: NotebookState,
  format: keyof typeof writers,
): Promise<void> {
  const name =
    notebook.title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "") || "notebook";
  const file = await writers[format](notebook, name);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The file alone where nothing lies beside it, otherwise a zip with the side folder. */
async function writeMarkdown(notebook: NotebookState, name: string): Promise<File> {
  const { markdown, files } = await packNotebook(
    notebook.snapshot(),
    notebook.outputOf,
    readPicture,
  );
  if (files.size === 0) return new File([markdown], `${name}.md`, { type: "text/markdown" });
  const folder = Object.fromEntries(
    [...files].map(([file, bytes]) => [`${name}.files/${file}`, bytes]),
  );
  return new File([zipSync({ [`${name}.md`]: strToU8(markdown), ...folder })], `${name}.zip`, {
    type: "application/zip",
  });
}

export interface OpenedNotebook {
  notebook: Notebook;
  outputs: ReadonlyMap<string, Output>;
}

/**
 * Reads `.md`, `.ipynb` and the `.zip` this app writes.
 * @throws TinyGptvError naming the file and what is wrong with it
 */
export async function readNotebookFile(file: File): Promise<OpenedNotebook> {
  if (file.size > maxFileBytes)
    throw new TinyGptvError("parameter", `${file.name}: want at most ${maxFileBytes / 1e6} MB`);
  if (file.name.endsWith(".ipynb"))
    return { notebook: fromIpynb(await file.text(), file.name), outputs: new Map() };
  if (file.name.endsWith(".zip")) return readZip(file);
  return unpackNotebook(await file.text(), file.name, () => Promise.resolve(undefined));
}

async function readZip(file: File): Promise<OpenedNotebook> {
  let total = 0;
  const entries = unzipSync(new Uint8Array(await file.arrayBuffer()), {
    filter: ({ originalSize }) => (total += originalSize) <= maxFileBytes, // a small zip can hold a huge file
  });
  const path = Object.keys(entries).find((name) => name.endsWith(".md"));
  if (path === undefined || total > maxFileBytes)
    throw new TinyGptvError(
      "parameter",
      `${file.name}: want a notebook (.md) of at most ${maxFileBytes / 1e6} MB in it`,
    );
  const markdown = new TextDecoder().decode(entries[path]);
  const files = new Map(
    Object.entries(entries).map(([name, bytes]) => [
      name.replace(/^.*\//, ""),
      Uint8Array.from(bytes),
    ]),
  );
  await keepPictures(markdown, files);
  return unpackNotebook(markdown, path, (name) => Promise.resolve(files.get(name)));
}
