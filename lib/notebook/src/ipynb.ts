/**
 * Jupyter's format, nbformat 4.5: text cells as Markdown cells, all others as
 * code cells whose source is `%%prompt answer` and the body of the fence, so
 * that they can be read (and edited) in Jupyter and come back. Outputs and
 * pictures are in the file (`ipynbOutputs.ts`): nothing lies beside it.
 */
import { withAttachments } from "./attachments.ts";
import { isAsking, type Cell } from "./cell.ts";
import { notebookFormat, type Notebook } from "./document.ts";
import { fenceIn, writeFence } from "./fence.ts";
import { displayOutput, displayPicture, sourceLines } from "./ipynbOutputs.ts";
import { isKeptContent } from "./keptPictures.ts";
import type { OutputOf } from "./references.ts";

/**
 * The notebook as a Jupyter file, JSON, which `fromIpynb` reads back.
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
    const { source, attachments } = await withAttachments(cell, readPicture);
    return {
      id: cell.id,
      cell_type: "markdown",
      metadata,
      source: sourceLines(source),
      ...(Object.keys(attachments).length > 0 && { attachments }),
    };
  }
  const { info, body } =
    cell.type === "faulty"
      ? (fenceIn(cell.source) ?? { info: "faulty", body: cell.source })
      : writeFence(cell);
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
  const data = JSON.parse(withoutMark(json)) as { cells: { outputs?: unknown }[] };
  notebook.cells.forEach((cell, index) => {
    const output = outputOf(cell);
    const place = data.cells[index];
    if (isAsking(cell) && output !== undefined && place !== undefined)
      place.outputs = [displayOutput(cell, output)];
  });
  return writeJson(data);
}

/** Some editors write a byte order mark at the beginning of every file. */
export const withoutMark = (text: string): string => text.replace(/^\uFEFF/, "");
