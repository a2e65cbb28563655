import { TinyGptvError, faultsOf } from "@tinygptv/protocol";
import { cellSchema, type Cell } from "./cell.ts";
import { writeFence, type WrittenCell } from "./fence.ts";
import { fenced } from "./blocks.ts";
import { faultText } from "./faultText.ts";

/** Fields of a cell and what they become; of those it need not have, `undefined` removes one. */
export type PatchOf<C extends Cell> = {
  [Key in Exclude<keyof C, "id" | "type">]?: C[Key];
};

/**
 * Checks that a cell with some fields changed is a cell still: what is not must
 * land neither in storage nor in a file. Fields of an unknown name are refused too.
 * @throws TinyGptvError "parameter" naming the cell and the field
 */
export function checkChange<C extends Cell>(cell: C, patch: PatchOf<C>): void {
  const fields = Object.entries({ ...cell, ...patch }).filter(([, value]) => value !== undefined);
  const changed = Object.fromEntries(fields);
  const parsed = cellSchema.safeParse(changed);
  const subject = cell.name ?? cell.type;
  if (parsed.success) return;
  const [fault] = faultsOf(parsed.error, cellSchema, changed);
  throw new TinyGptvError("parameter", `${subject}: ${faultText(fault!)}`, { subject });
}

/** A stored cell as it is; where it is none (any more), a faulty one that shows what it was. */
export function asSound(cell: Cell): Cell {
  if (cellSchema.safeParse(cell).success) return cell;
  const { info, body } = writeFence(cell as WrittenCell);
  return { type: "faulty", id: cell.id, source: fenced(info, body) };
}
