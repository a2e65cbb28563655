import { keptIn } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import { database } from "./database.ts";

/** What was taken so lately may not be in a stored notebook yet, or come back by undo. */
const recent = 24 * 60 * 60 * 1000; // ms

/**
 * Runs a write; when the browser's storage is full, makes room once and tries again.
 * @throws TinyGptvError "io" where it is full all the same
 */
export async function withRoom<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!isFull(error)) throw error;
    try {
      if ((await freeSpace(Date.now())) === 0) throw error;
      return await write();
    } catch (again) {
      if (!isFull(again)) throw again;
      throw new TinyGptvError(
        "io",
        "This browser's storage is full. Everything is still here: download the notebook, then delete notebooks or pictures you no longer need.",
        { cause: again },
      );
    }
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "QuotaExceededError";

/**
 * Drops earlier versions, outputs of cells that are gone, and pictures no stored notebook shows.
 * @returns how many things were dropped
 */
async function freeSpace(now: number): Promise<number> {
  const db = await database();
  const notebooks = await db.getAll("notebooks");
  const cells = new Set(
    notebooks.flatMap(({ id, notebook }) => notebook.cells.map((cell) => `${id} ${cell.id}`)),
  );
  const shown = new Set(
    notebooks.flatMap(({ notebook }) =>
      notebook.cells.flatMap(keptIn).map((file) => file.replace("sha256:", "")),
    ),
  );
  const versions = await db.count("versions");
  await db.clear("versions");
  const outputs = (await db.getAllKeys("outputs")).filter(
    ([notebookId, cellId]) => !cells.has(`${notebookId} ${cellId}`),
  );
  await Promise.all(outputs.map((key) => db.delete("outputs", key)));
  let pictures = 0;
  for await (const cursor of db.transaction("pictures", "readwrite").store) {
    if (shown.has(cursor.value.hash) || now - cursor.value.addedAt < recent) continue;
    await cursor.delete();
    pictures++;
  }
  return versions + outputs.length + pictures;
}
