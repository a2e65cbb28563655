/**
 * A notebook and what belongs to it as files: the Markdown, and a side folder
 * whose files are named after the sha256 of their content (pictures as they
 * are, outputs as JSON). A changed output is one changed line in the Markdown.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import { isAsking, type Cell } from "./cell.ts";
import { keptIn, keptName, sideFileName } from "./keptPictures.ts";
import type { Notebook } from "./document.ts";
import { canonicalJson, contentHash } from "./hash.ts";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
import type { Output } from "./output.ts";
import { checkOutput } from "./outputSchema.ts";
import type { Remark } from "./remark.ts";

/** A notebook file and the folder beside it. */
export interface PackedNotebook {
  markdown: string;
  /** Side folder: name -> content. */
  files: Map<string, Uint8Array>;
}

/**
 * The notebook as files, with the outputs that `outputOf` has and all kept pictures.
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
    for (const file of keptIn(cell)) {
      const reading = readPicture(file);
      // A text may name what nobody has; a picture cell's picture has to be there.
      const bytes = await (cell.type === "text" ? reading.catch(() => undefined) : reading);
      if (bytes !== undefined) files.set(sideFileName(file), bytes);
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

/** A notebook as it was read, with the outputs beside it. */
export interface OpenedNotebook {
  notebook: Notebook;
  /** By cell id. */
  outputs: Map<string, Output>;
  remarks: Remark[];
}

/**
 * Reads a notebook with its outputs. An output whose file is gone is left out:
 * the cell can be run again. So is one that is not what its name says, or no
 * output; that is told.
 * @param read content of a file of the side folder, undefined where it is not there
 * @throws TinyGptvError "parameter" where the file as a whole cannot be a notebook
 */
export async function unpackNotebook(
  markdown: string,
  file: string,
  read: (name: string) => Promise<Uint8Array | undefined>,
): Promise<OpenedNotebook> {
  const { notebook, remarks } = fromMarkdown(markdown, file);
  const outputs = new Map<string, Output>();
  for (const cell of notebook.cells) {
    if (!isAsking(cell) || cell.output === undefined) continue;
    const name = sideFileName(cell.output);
    const bytes = await read(name);
    if (bytes !== undefined) {
      try {
        outputs.set(cell.id, readOutput(bytes, cell.output, name));
      } catch (error) {
        remarks.push(unreadOutput(name, cell.name ?? cell.type, error));
      }
    }
    delete cell.output;
  }
  return { notebook, outputs, remarks };
}

/** What is said about an output that was left out. */
export function unreadOutput(place: string, cell: string, error: unknown): Remark {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `the output of ${cell} cannot be read and is left out (${reason}); run it again`;
  return { kind: "note", place, message };
}

/** What is no JSON is left to the check to refuse. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function readOutput(bytes: Uint8Array, reference: string, name: string): Output {
  const found = contentHash(bytes);
  if (keptName(found) !== reference)
    throw new TinyGptvError("parameter", `want content of that sha256, got ${found}`, {
      subject: name,
    });
  return checkOutput(parseJson(bytes), "output", name);
}
