import { z } from "zod";
import { TinyGptvError, faultsOf, sentence } from "@tinygptv/protocol";
import { cellSchema, type Cell } from "./cell.ts";

/** Written into every file; a later, incompatible format gets another number. */
export const notebookFormat = "tinygptv-notebook/1";

/** Cells that a notebook has at most. */
export const maxCells = 2000;

/** A notebook without its outputs. */
export const notebookSchema = z.strictObject({
  title: z.string().max(200),
  /** Level used where a cell names none (`nano:fp32`); the endpoint's default where absent. */
  model: z.string().min(1).max(200).optional(),
  cells: z.array(cellSchema).max(maxCells),
});
export type Notebook = z.infer<typeof notebookSchema>;

/** The first cell of that name. */
export function cellNamed(notebook: Notebook, name: string): Cell | undefined {
  return notebook.cells.find((cell) => cell.name === name);
}

/** `base`, or `base2`, `base3`, … where that is taken. */
export function freeName(base: string, taken: Iterable<string | undefined>): string {
  const names = new Set(taken);
  if (!names.has(base)) return base;
  for (let n = 2; ; n++) if (!names.has(`${base}${n}`)) return `${base}${n}`;
}

/**
 * Checks data from outside (a file, a share, storage).
 * @throws TinyGptvError "parameter" naming the first wrong field of the first wrong cell
 */
export function checkNotebook(data: unknown, subject = "notebook"): Notebook {
  const parsed = notebookSchema.safeParse(data);
  if (!parsed.success) {
    const [fault] = faultsOf(parsed.error, notebookSchema, data);
    throw new TinyGptvError("parameter", `${subject}: ${sentence(fault!, "notebook")}`, {
      subject,
    });
  }
  const seen = new Map<string, number>();
  parsed.data.cells.forEach((cell, index) => {
    if (cell.name === undefined) return;
    const earlier = seen.get(cell.name);
    if (earlier !== undefined) {
      throw new TinyGptvError(
        "parameter",
        `${subject}: cells ${earlier + 1} and ${index + 1}: want different names, both are called ${cell.name}`,
        { subject },
      );
    }
    seen.set(cell.name, index);
  });
  return parsed.data;
}
