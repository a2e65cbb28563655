/** A notebook in a zip: the Markdown, its side folder, and pictures it names by their paths. */
import { unzipSync } from "fflate";
import { fingerprint, freshness, unpackNotebook } from "@tinygptv/notebook";
import type { Cell, OpenedNotebook, Output } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import { keepPictures } from "./share.ts";
import { resolvePath } from "./resolvePath.ts";
import { takePicture } from "./takePicture.ts";

type Entries = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** @throws TinyGptvError naming the file and what is wrong with it */
export async function readZip(file: File, maxBytes: number): Promise<OpenedNotebook> {
  const entries = await unzip(file, maxBytes);
  // The one nearest to the top: a folder of pictures may have a read-me of its own.
  const depth = (path: string): number => path.split("/").length;
  const [path] = [...entries.keys()]
    .filter((name) => name.endsWith(".md"))
    .toSorted((a, b) => depth(a) - depth(b));
  if (path === undefined)
    throw new TinyGptvError("parameter", `${file.name}: want a notebook (.md) in it, found none`);
  const markdown = new TextDecoder().decode(entries.get(path));
  const names = new Map([...entries].map(([name, bytes]) => [name.replace(/^.*\//, ""), bytes]));
  const opened = await unpackNotebook(markdown, path, (name) => Promise.resolve(names.get(name)));
  opened.remarks.push(...(await keepPictures(opened.notebook, names)));
  return keepRelative(opened, path, entries);
}

async function unzip(file: File, maxBytes: number): Promise<Entries> {
  let total = 0;
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(new Uint8Array(await file.arrayBuffer()), {
      // macOS adds a file of its own for every file. A small zip can hold a huge one.
      filter: ({ name, originalSize }) =>
        !name.startsWith("__MACOSX/") && (total += originalSize) <= maxBytes,
    });
  } catch (cause) {
    throw new TinyGptvError(
      "parameter",
      `${file.name}: want a zip archive: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  if (total > maxBytes)
    throw new TinyGptvError(
      "parameter",
      `${file.name}: want at most ${maxBytes / 1e6} MB in it, got ${Math.ceil(total / 1e6)} MB`,
    );
  return new Map(Object.entries(entries).map(([name, bytes]) => [name, Uint8Array.from(bytes)]));
}

/** Pictures named by a path into the zip are kept, and their cells name them by content from now on. */
async function keepRelative(
  { notebook: before, outputs, remarks }: OpenedNotebook,
  markdownPath: string,
  entries: Entries,
): Promise<OpenedNotebook> {
  const cells: Cell[] = [];
  for (const cell of before.cells) {
    const path = cell.type === "picture" ? resolvePath(markdownPath, cell.file) : undefined;
    const bytes = path === undefined ? undefined : entries.get(path);
    try {
      const taken = bytes && (await takePicture(new File([bytes], path ?? "")));
      cells.push(taken === undefined ? cell : ({ ...cell, file: taken.file } as Cell));
    } catch (error) {
      cells.push(cell);
      const message = error instanceof Error ? error.message : String(error);
      remarks.push({ kind: "note", place: path ?? "", message });
    }
  }
  const notebook = { ...before, cells };
  const outputOf = (cell: Cell): Output | undefined => outputs.get(cell.id);
  // The same pictures under other names: what was up to date still is.
  const renewed = before.cells.flatMap((cell): [string, Output][] => {
    const output = outputOf(cell);
    if (output === undefined) return [];
    const fresh = freshness(before, cell, output, outputOf) === "fresh";
    return [
      [cell.id, fresh ? { ...output, inputs: fingerprint(notebook, cell, outputOf) } : output],
    ];
  });
  return { notebook, outputs: new Map(renewed), remarks };
}
