/**
 * Jupyter's format, nbformat 4.5: text cells as Markdown cells, all others as
 * code cells whose source is `%%prompt answer` and the body of the fence, so
 * that they can be read (and edited) in Jupyter and come back. Outputs and
 * pictures are in the file (`ipynbOutputs.ts`): nothing lies beside it.
 */
import { z } from "zod";
import { TinyGptvError, faultsOf, sentence } from "@tinygptv/protocol";
import { isAsking, type Cell } from "./cell.ts";
import { checkNotebook, notebookFormat, type Notebook } from "./document.ts";
import { fencedTypes, readFence, writeFence } from "./fence.ts";
import {
  displayOutput,
  displayPicture,
  multiline,
  readKept,
  readOutput,
  sourceLines,
} from "./ipynbOutputs.ts";
import type { Output } from "./output.ts";
import type { OutputOf } from "./references.ts";
import { isKeptContent } from "./sideFiles.ts";

const magic = new RegExp(`^%%(${fencedTypes.join("|")})(?: .*)?$`);

/** What is read of a foreign notebook; everything else in it is left alone. */
const ipynbSchema = z.object({
  nbformat: z.literal(4),
  metadata: z.object({
    title: z.string().optional(),
    tinygptv: z.object({ model: z.string().optional() }).optional(),
  }),
  cells: z.array(
    z.object({
      id: z.string().optional(),
      cell_type: z.enum(["markdown", "code", "raw"]),
      source: multiline,
      metadata: z
        .object({ tinygptv: z.object({ name: z.string().optional() }).optional() })
        .optional(),
      outputs: z.array(z.unknown()).default([]),
    }),
  ),
});

/**
 * @param readPicture bytes of a picture cell's file. Kept pictures (`sha256:…`)
 * have to be there; those named by a path are in the file only to be seen
 */
export async function toIpynb(
  notebook: Notebook,
  outputOf: OutputOf,
  readPicture: (file: string) => Promise<Uint8Array>,
): Promise<string> {
  const cells: object[] = [];
  for (const cell of notebook.cells) cells.push(await writeCell(cell, outputOf, readPicture));
  const metadata = {
    title: notebook.title,
    tinygptv: {
      format: notebookFormat,
      ...(notebook.model !== undefined && { model: notebook.model }),
    },
  };
  return writeJson({ nbformat: 4, nbformat_minor: 5, metadata, cells });
}

/** As Jupyter writes it. */
const writeJson = (data: object): string => `${JSON.stringify(data, null, 1)}\n`;

async function writeCell(
  cell: Cell,
  outputOf: OutputOf,
  readPicture: (file: string) => Promise<Uint8Array>,
): Promise<object> {
  if (cell.type === "text") {
    const metadata = cell.name === undefined ? {} : { tinygptv: { name: cell.name } };
    return { id: cell.id, cell_type: "markdown", metadata, source: sourceLines(cell.source) };
  }
  const { info, body } = writeFence(cell);
  return {
    id: cell.id,
    cell_type: "code",
    metadata: {},
    execution_count: null,
    source: sourceLines(body === "" ? `%%${info}` : `%%${info}\n${body}`),
    outputs: await writeOutputs(cell, outputOf, readPicture),
  };
}

async function writeOutputs(
  cell: Cell,
  outputOf: OutputOf,
  readPicture: (file: string) => Promise<Uint8Array>,
): Promise<object[]> {
  if (cell.type === "picture" && cell.file !== "") {
    const reading = readPicture(cell.file);
    const bytes = await (isKeptContent(cell.file) ? reading : reading.catch(() => undefined));
    return bytes === undefined ? [] : [displayPicture(cell, bytes)];
  }
  const output = outputOf(cell);
  return isAsking(cell) && output !== undefined ? [displayOutput(cell, output)] : [];
}

/**
 * Puts outputs into a Jupyter notebook; everything else in it stays as it is.
 * @param notebook what `fromIpynb` read from it
 */
export function withOutputs(json: string, notebook: Notebook, outputOf: OutputOf): string {
  const data = JSON.parse(json) as { cells: { outputs?: unknown }[] };
  notebook.cells.forEach((cell, index) => {
    const output = outputOf(cell);
    const place = data.cells[index];
    if (isAsking(cell) && output !== undefined && place !== undefined)
      place.outputs = [displayOutput(cell, output)];
  });
  return writeJson(data);
}

export interface ReadNotebook {
  notebook: Notebook;
  /** By cell id. */
  outputs: Map<string, Output>;
  /** Kept pictures, by the name their cells have for them (`sha256:…`). */
  pictures: Map<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Reads any nbformat 4 notebook; code that is not ours becomes text, and
 * outputs that are not ours are left out.
 * @throws TinyGptvError "parameter" naming the file, the cell and what is wrong
 */
export function fromIpynb(json: string, file = "notebook.ipynb"): ReadNotebook {
  const content = parseJson(json, file);
  const parsed = ipynbSchema.safeParse(content);
  if (!parsed.success) {
    const [fault] = faultsOf(parsed.error, ipynbSchema, content);
    throw new TinyGptvError(
      "parameter",
      `${file}: want a Jupyter notebook (nbformat 4): ${sentence(fault!, "notebook")}`,
    );
  }
  const { metadata, cells } = parsed.data;
  const ids = new Set<string>();
  const outputs: ReadNotebook["outputs"] = new Map();
  const pictures: ReadNotebook["pictures"] = new Map();
  const read = cells.map((given, index): Cell => {
    const wanted = given.id ?? `c${index + 1}`;
    const id = ids.has(wanted) ? `c${index + 1}-${ids.size}` : wanted;
    ids.add(id);
    const where = `${file}: cell ${index + 1}`;
    const cell = readCell(given.cell_type, given.source, id, given.metadata?.tinygptv?.name, where);
    if (isAsking(cell)) {
      const output = readOutput(given.outputs, where);
      if (output !== undefined) outputs.set(id, output);
      delete cell.output; // it names a file of a side folder, and there is none
    } else if (cell.type === "picture" && isKeptContent(cell.file)) {
      const bytes = readKept(cell, given.outputs, where);
      if (bytes !== undefined) pictures.set(cell.file, bytes);
    }
    return cell;
  });
  const title = metadata.title ?? file.replace(/^.*\//, "").replace(/\.ipynb$/, "");
  const model = metadata.tinygptv?.model;
  const notebook = checkNotebook(
    { title, ...(model !== undefined && { model }), cells: read },
    file,
  );
  return { notebook, outputs, pictures };
}

function readCell(
  type: string,
  source: string,
  id: string,
  name: string | undefined,
  where: string,
): Cell {
  const newline = source.indexOf("\n");
  const first = newline === -1 ? source : source.slice(0, newline);
  if (type === "code" && magic.test(first)) {
    return readFence(first.slice(2), newline === -1 ? "" : source.slice(newline + 1), id, where);
  }
  const text = type === "code" ? `\`\`\`\n${source}\n\`\`\`` : source;
  return { type: "text", id, ...(name !== undefined && { name }), source: text };
}

function parseJson(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new TinyGptvError(
      "parameter",
      `${file}: want JSON: ${cause instanceof Error ? cause.message : ""}`,
      { cause },
    );
  }
}
