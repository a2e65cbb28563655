/**
 * A notebook and what belongs to it as files: the Markdown, and a side folder
 * whose files are named after the sha256 of their content (pictures as they
 * are, outputs as JSON). A changed output is one changed line in the Markdown.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import { isAsking, type Cell } from "./cell.ts";
import type { Notebook } from "./document.ts";
import { canonicalJson, contentHash } from "./hash.ts";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
import type { Output } from "./output.ts";
import { checkOutput } from "./outputSchema.ts";

const prefix = "sha256:";

/** As cells name kept content. */
export const keptName = (hash: string): string => prefix + hash;

/** `sha256:…` in a cell -> the file's name in the side folder. */
export const sideFileName = (reference: string): string => reference.replace(prefix, "sha256-");

export const isKeptContent = (reference: string): boolean =>
  /^sha256:[0-9a-f]{64}$/.test(reference);

export interface PackedNotebook {
  markdown: string;
  /** Side folder: name -> content. */
  files: Map<string, Uint8Array>;
}

/**
 * @param readPicture bytes of a picture named by its hash; others stay paths
 */
export async function packNotebook(
  notebook: Notebook,
  outputOf: (cell: Cell) => Output | undefined,
  readPicture: (file: string) => Promise<Uint8Array>,
): Promise<PackedNotebook> {
  const files = new Map<string, Uint8Array>();
  const cells: Cell[] = [];
  for (const cell of notebook.cells) {
    if (cell.type === "picture" && isKeptContent(cell.file)) {
      files.set(sideFileName(cell.file), await readPicture(cell.file));
    }
    const output = isAsking(cell) ? outputOf(cell) : undefined;
    if (output === undefined) {
      cells.push(cell);
      continue;
    }
    const json = `${canonicalJson(output)}\n`;
    const reference = keptName(contentHash(json));
    files.set(sideFileName(reference), new TextEncoder().encode(json));
    cells.push({ ...cell, output: reference } as Cell);
  }
  return { markdown: toMarkdown({ ...notebook, cells }), files };
}

/**
 * Reads a notebook with its outputs. An output whose file is gone is left out:
 * the cell can be run again. One whose content is not what its name says is an error.
 * @param read content of a file of the side folder, undefined where it is not there
 * @returns outputs by cell id
 * @throws TinyGptvError "parameter" naming the file
 */
export async function unpackNotebook(
  markdown: string,
  file: string,
  read: (name: string) => Promise<Uint8Array | undefined>,
): Promise<{ notebook: Notebook; outputs: Map<string, Output> }> {
  const notebook = fromMarkdown(markdown, file);
  const outputs = new Map<string, Output>();
  for (const cell of notebook.cells) {
    if (!isAsking(cell) || cell.output === undefined) continue;
    const bytes = await read(sideFileName(cell.output));
    if (bytes !== undefined) outputs.set(cell.id, readOutput(bytes, cell.output, file));
    delete cell.output;
  }
  return { notebook, outputs };
}

/** What is no JSON is left to the check to refuse. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function readOutput(bytes: Uint8Array, reference: string, file: string): Output {
  const name = sideFileName(reference);
  const found = contentHash(bytes);
  if (keptName(found) !== reference) {
    throw new TinyGptvError(
      "parameter",
      `${file}: ${name}: want content of that sha256, got ${found}`,
      { subject: name },
    );
  }
  return checkOutput(parseJson(bytes), `${file}: ${name}`, name);
}
