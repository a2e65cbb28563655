/** Reads any notebook of Jupyter's format; how ours are written is in `ipynb.ts`. */
import { TinyGptvError, faultsOf, sentence } from "@tinygptv/protocol";
import { z } from "zod";
import { attachmentsSchema, pictureIn, withoutAttachments } from "./attachments.ts";
import { fenced } from "./blocks.ts";
import { cellNameSchema, isAsking, type Cell, type CellOf } from "./cell.ts";
import { checkNotebook, maxCells, type Notebook } from "./document.ts";
import { opensCell } from "./escape.ts";
import { readFence, withOwnName } from "./fence.ts";
import { withoutMark } from "./ipynb.ts";
import { multiline, readKept, readOutput, withData } from "./ipynbOutputs.ts";
import { isKeptContent, keptAddress, keptName } from "./keptPictures.ts";
import { contentHash } from "./hash.ts";
import type { Output } from "./output.ts";
import type { Remark } from "./remark.ts";
import { unreadOutput } from "./sideFiles.ts";

/** What is read of a foreign notebook; everything else in it is left alone. */
const ipynbSchema = z.object({
  nbformat: z.literal(4),
  metadata: z
    .object({
      title: z.string().optional().catch(undefined),
      tinygptv: z
        .object({ model: z.string().min(1).max(200) })
        .optional()
        .catch(undefined),
    })
    .default({}),
  cells: z.array(
    z.object({
      id: z.string().optional().catch(undefined),
      cell_type: z.enum(["markdown", "code", "raw"]),
      source: multiline,
      metadata: z
        .object({ tinygptv: z.object({ name: z.string() }) })
        .optional()
        .catch(undefined),
      attachments: attachmentsSchema.default({}),
      outputs: z.array(z.unknown()).default([]),
    }),
  ),
});
type GivenCell = z.infer<typeof ipynbSchema>["cells"][number];

export interface ReadIpynb {
  notebook: Notebook;
  /** By cell id. */
  outputs: Map<string, Output>;
  /** Kept pictures, by the name their cells have for them (`sha256:…`). */
  pictures: Map<string, Uint8Array<ArrayBuffer>>;
  /** What was not taken as it stands, or left out, by cells. */
  remarks: Remark[];
}

/**
 * Reads any nbformat 4 notebook; code that is not ours becomes text, with the
 * pictures below it. Whatever else is left out, or wrong in a cell, is told.
 * @throws TinyGptvError "parameter" where the file as a whole is no notebook
 */
export function fromIpynb(json: string, file = "notebook.ipynb"): ReadIpynb {
  const data = parseJson(withoutMark(json), file);
  const parsed = ipynbSchema.safeParse(data);
  if (!parsed.success) {
    const [fault] = faultsOf(parsed.error, ipynbSchema, data);
    const reason = sentence(fault!, "the file");
    throw new TinyGptvError(
      "parameter",
      `${file}: want a Jupyter notebook (nbformat 4): ${reason}`,
    );
  }
  const { metadata, cells } = parsed.data;
  if (cells.length > maxCells)
    throw new TinyGptvError(
      "parameter",
      `${file}: want at most ${maxCells} cells, got ${cells.length}`,
    );
  const read: Reading = {
    ids: new Set(),
    names: new Set(),
    outputs: new Map(),
    pictures: new Map(),
    remarks: [],
  };
  const ours = cells.map((given, index) => readCell(given, index, read));
  const title = metadata.title ?? file.replace(/^.*\//, "").replace(/\.ipynb$/, "");
  const model = metadata.tinygptv?.model;
  const notebook = checkNotebook(
    { title: title.slice(0, 200), ...(model !== undefined && { model }), cells: ours },
    file,
  );
  const { outputs, pictures, remarks } = read;
  return { notebook, outputs, pictures, remarks };
}

/** What the cells read so far have come to. */
interface Reading extends Omit<ReadIpynb, "notebook"> {
  ids: Set<string>;
  names: Set<string | undefined>;
}

function readCell(given: GivenCell, index: number, read: Reading): Cell {
  const id = freeId(given.id, index, read.ids);
  const place = `cell ${index + 1}`;
  const say = (kind: Remark["kind"], message: string): void =>
    void read.remarks.push({ kind, place, message });
  const [first = "", ...rest] = given.source.split("\n");
  const info = first.slice(2);
  const cell =
    given.cell_type === "code" && first.startsWith("%%") && opensCell(info)
      ? readOurs(info, rest.join("\n"), id, read, say)
      : readText(given, id, read, say);
  if ("name" in cell) read.names.add(cell.name);
  if (isAsking(cell)) {
    try {
      const output = readOutput(given.outputs, place);
      if (output !== undefined) read.outputs.set(id, output);
    } catch (error) {
      read.remarks.push(unreadOutput(place, cell.name ?? cell.type, error));
    }
    delete cell.output; // it names a file of a side folder, and there is none
  } else if (cell.type === "picture" && isKeptContent(cell.file)) {
    return withPicture(cell, given, read, say);
  }
  return cell;
}

function withPicture(cell: CellOf<"picture">, given: GivenCell, read: Reading, say: Say): Cell {
  try {
    const bytes = readKept(given.outputs, "output");
    if (bytes === undefined) return cell;
    const file = keptName(contentHash(bytes));
    if (file !== cell.file)
      say("note", "the picture in it is not the one that it was; the one in it is shown");
    read.pictures.set(file, bytes);
    return { ...cell, file };
  } catch {
    say("note", "the picture in it cannot be read and is left out");
    return cell;
  }
}

type Say = (kind: Remark["kind"], message: string) => void;

function readOurs(info: string, body: string, id: string, read: Reading, say: Say): Cell {
  const { cell, mistakes } = withOwnName(readFence(info, body, id), read.names);
  for (const { line, message } of mistakes) say("mistake", `line ${line + 1}: ${message}`);
  return cell ?? { type: "faulty", id, source: fenced(info, body) };
}

function readText(given: GivenCell, id: string, read: Reading, say: Say): Cell {
  const wanted = given.metadata?.tinygptv.name;
  const fits = cellNameSchema.safeParse(wanted).success && !read.names.has(wanted);
  if (wanted !== undefined && !fits)
    say("note", `it cannot be called ${wanted}, and has no name now`);
  const name = fits ? { name: wanted } : {};
  if (given.cell_type === "code")
    return { type: "text", id, ...name, source: codeAsText(given, read, say) };
  const { source, pictures, lost } = withoutAttachments(given.source, given.attachments);
  for (const [file, bytes] of pictures) read.pictures.set(file, bytes);
  for (const message of lost) say("note", message);
  return { type: "text", id, ...name, source };
}

/** Foreign code, and the pictures that it drew. */
function codeAsText({ source, outputs }: GivenCell, read: Reading, say: Say): string {
  const drawn: string[] = [];
  let others = 0;
  for (const output of outputs) {
    const bytes = pictureIn(withData.safeParse(output).data?.data ?? {});
    if (bytes === undefined) {
      others++;
      continue;
    }
    read.pictures.set(keptName(contentHash(bytes)), bytes);
    drawn.push(`![output](${keptAddress(bytes, `output${drawn.length + 1}`)})`);
  }
  if (others > 0) say("note", "what it printed is left out; of outputs, pictures are kept");
  return [fenced("", source), ...drawn].join("\n\n");
}

function freeId(given: string | undefined, index: number, taken: Set<string>): string {
  const wanted =
    given !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : `c${index + 1}`;
  const id = taken.has(wanted) ? `c${index + 1}-${taken.size}` : wanted;
  taken.add(id);
  return id;
}

function parseJson(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new TinyGptvError(
      "parameter",
      `${file}: want a Jupyter notebook, but it is not JSON (${cause instanceof Error ? cause.message : ""})`,
      { cause },
    );
  }
}
