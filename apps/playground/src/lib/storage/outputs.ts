import { interrupted, keptOutputs } from "@tinygptv/notebook";
import type { KeptOutputs, Output } from "@tinygptv/notebook";
import { database, ofNotebook, type StoredOutput } from "./database.ts";

/** What an earlier version of the page called a cell's only output. */
const only = "latest";

/** All outputs of a notebook's cells. */
export interface OutputsOfNotebook {
  kept: Map<string, KeptOutputs>;
  /** Those pinned to compare others with. */
  baselines: Map<string, Output>;
}

export async function outputsOf(notebookId: string): Promise<OutputsOfNotebook> {
  const db = await database();
  const records = await db.getAll("outputs", ofNotebook(notebookId));
  const baselines = new Map<string, Output>();
  const kept = new Map<string, KeptOutputs>();
  for (const [cellId, ofCell] of Map.groupBy(records, (record) => record.cellId)) {
    const chosen = ofCell.find((record) => "at" in record);
    const outputs = new Map<string, Output>();
    for (const record of ofCell) {
      if (!("output" in record)) continue;
      if (record.kind === "baseline") baselines.set(cellId, record.output);
      else outputs.set(record.output.at, interrupted(record.output));
      if (record.kind === only) await renameOnly(record);
    }
    const all = keptOutputs([...outputs.values()], chosen?.at);
    if (all !== undefined) kept.set(cellId, all);
  }
  return { kept, baselines };
}

async function renameOnly(record: StoredOutput): Promise<void> {
  const transaction = (await database()).transaction("outputs", "readwrite");
  const { notebookId, cellId, output } = record;
  await Promise.all([
    transaction.store.put({ ...record, kind: output.at }),
    transaction.store.delete([notebookId, cellId, only]),
    transaction.done,
  ]);
}

/** Writes what of a cell's outputs changed, all of it or nothing. */
export async function saveOutputs(
  notebookId: string,
  cellId: string,
  change: { saved: readonly Output[]; gone: readonly string[]; shown: string },
): Promise<void> {
  const transaction = (await database()).transaction("outputs", "readwrite");
  const { store } = transaction;
  await Promise.all([
    ...change.saved.map((output) => store.put({ notebookId, cellId, kind: output.at, output })),
    ...change.gone.map((at) => store.delete([notebookId, cellId, at])),
    store.put({ notebookId, cellId, kind: "shown", at: change.shown }),
    transaction.done,
  ]);
}

/** An output that is still being made, as far as it is. */
export async function saveDraft(notebookId: string, cellId: string, output: Output): Promise<void> {
  await (await database()).put("outputs", { notebookId, cellId, kind: output.at, output });
}

export async function saveBaseline(
  notebookId: string,
  cellId: string,
  output: Output | undefined,
): Promise<void> {
  const db = await database();
  if (output === undefined) await db.delete("outputs", [notebookId, cellId, "baseline"]);
  else await db.put("outputs", { notebookId, cellId, kind: "baseline", output });
}
