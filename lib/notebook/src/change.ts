import { TinyGptvError, faultsOf } from "@tinygptv/protocol";
import { cellSchema, type Cell } from "./cell.ts";
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
