/**
 * Jupyter's format, nbformat 4.5: text cells as Markdown cells, all others as
 * code cells whose source is `%%prompt answer` and the body of the fence, so
 * that they can be read (and edited) in Jupyter and come back.
 */
import { z } from "zod";
import { TinyGptvError } from "../errors.ts";
import type { Cell } from "./cell.ts";
import { checkNotebook, firstIssue, notebookFormat, type Notebook } from "./document.ts";
import { fencedTypes, readFence, writeFence } from "./fence.ts";
import { finalText, type Output } from "./output.ts";

/** Our output as data beside its readable form; other programs keep what they do not know. */
const outputMime = "application/vnd.tinygptv.output+json";
const magic = new RegExp(`^%%(${fencedTypes.join("|")})(?: .*)?$`);

const multiline = z
  .union([z.string(), z.array(z.string())])
  .transform((text) => (Array.isArray(text) ? text.join("") : text));

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
    }),
  ),
});

/** @param outputOf a cell's output to include, if it has one */
export function toIpynb(
  notebook: Notebook,
  outputOf: (cell: Cell) => Output | undefined = () => undefined,
): string {
  const cells = notebook.cells.map((cell) => {
    if (cell.type === "text") {
      const metadata = cell.name === undefined ? {} : { tinygptv: { name: cell.name } };
      return { id: cell.id, cell_type: "markdown", metadata, source: sourceLines(cell.source) };
    }
    const { info, body } = writeFence(cell);
    const output = outputOf(cell);
    return {
      id: cell.id,
      cell_type: "code",
      metadata: {},
      execution_count: null,
      source: sourceLines(body === "" ? `%%${info}` : `%%${info}\n${body}`),
      outputs: output === undefined ? [] : [displayData(output)],
    };
  });
  const metadata = {
    title: notebook.title,
    tinygptv: {
      format: notebookFormat,
      ...(notebook.model !== undefined && { model: notebook.model }),
    },
  };
  return `${JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }, null, 1)}\n`;
}

function displayData(output: Output): object {
  const text = output.runs
    .map((run) => (output.runs.length === 1 ? finalText(run) : `${run.label}: ${finalText(run)}`))
    .join("\n");
  return {
    output_type: "display_data",
    metadata: {},
    data: { "text/plain": sourceLines(text), [outputMime]: output },
  };
}

/** nbformat keeps texts as lists of lines, each with its newline. */
const sourceLines = (text: string): string[] => text.split(/(?<=\n)/).filter((line) => line !== "");

/**
 * Reads any nbformat 4 notebook; code that is not ours becomes text.
 * @throws TinyGptvError "parameter" naming the file and what is wrong
 */
export function fromIpynb(json: string, file = "notebook.ipynb"): Notebook {
  const parsed = ipynbSchema.safeParse(parseJson(json, file));
  if (!parsed.success)
    throw new TinyGptvError(
      "parameter",
      `${file}: want a Jupyter notebook (nbformat 4): ${firstIssue(parsed.error)}`,
    );
  const { metadata, cells } = parsed.data;
  const ids = new Set<string>();
  const read = cells.map((cell, index): Cell => {
    const wanted = cell.id ?? `c${index + 1}`;
    const id = ids.has(wanted) ? `c${index + 1}-${ids.size}` : wanted;
    ids.add(id);
    return readCell(
      cell.cell_type,
      cell.source,
      id,
      cell.metadata?.tinygptv?.name,
      `${file}: cell ${index + 1}`,
    );
  });
  const title = metadata.title ?? file.replace(/^.*\//, "").replace(/\.ipynb$/, "");
  const model = metadata.tinygptv?.model;
  return checkNotebook({ title, ...(model !== undefined && { model }), cells: read }, file);
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
