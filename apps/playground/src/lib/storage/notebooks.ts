import type { Notebook } from "@tinygptv/notebook";
import {
  database,
  ofNotebook,
  type StoredChoice,
  type StoredNotebook,
  type StoredOutput,
  type Version,
} from "./database.ts";
import { mergeNotebooks } from "./merge.ts";

/** A version is kept at most this often while somebody writes … */
const versionInterval = 60_000;
/** … and so many of them in all. */
const maxVersions = 60;

export interface NotebookSummary {
  id: string;
  title: string;
  updatedAt: number;
}

/** Latest first. */
export async function listNotebooks(): Promise<NotebookSummary[]> {
  const all = await (await database()).getAll("notebooks");
  return all
    .map(({ id, notebook, updatedAt }) => ({ id, title: notebook.title, updatedAt }))
    .toSorted((a, b) => b.updatedAt - a.updatedAt);
}

export async function loadNotebook(id: string): Promise<StoredNotebook | undefined> {
  return (await database()).get("notebooks", id);
}

/**
 * Saves a notebook in one transaction. Where another tab saved in between, both
 * versions are joined and the joined one is stored and returned.
 */
export async function saveNotebook(
  base: StoredNotebook,
  notebook: Notebook,
  now: number,
): Promise<StoredNotebook> {
  const db = await database();
  const transaction = db.transaction("notebooks", "readwrite");
  const stored = await transaction.store.get(base.id);
  const theirs =
    stored !== undefined && stored.revision !== base.revision ? stored.notebook : undefined;
  const merged = theirs === undefined ? notebook : mergeNotebooks(base.notebook, notebook, theirs);
  const saved = {
    id: base.id,
    revision: (stored?.revision ?? base.revision) + 1,
    updatedAt: now,
    notebook: merged,
  };
  await transaction.store.put(saved);
  await transaction.done;
  await keepVersion(saved, now);
  return saved;
}

async function keepVersion({ id, notebook }: StoredNotebook, now: number): Promise<void> {
  const db = await database();
  const keys = await db.getAllKeys("versions", ofNotebook(id));
  const latest = keys.at(-1)?.[1] ?? 0;
  if (now - latest < versionInterval) return;
  await db.put("versions", { notebookId: id, at: now, notebook });
  await Promise.all(
    keys
      .slice(0, Math.max(0, keys.length + 1 - maxVersions))
      .map((key) => db.delete("versions", key)),
  );
}

/** Earlier versions, latest first. */
export async function versionsOf(id: string): Promise<Version[]> {
  return (await (await database()).getAll("versions", ofNotebook(id))).toReversed();
}

/** A notebook with all that is kept of it. */
export interface WholeNotebook {
  stored: StoredNotebook;
  versions: Version[];
  outputs: (StoredOutput | StoredChoice)[];
}

const wholeStores = ["notebooks", "versions", "outputs"] as const;

/** @returns what was deleted, for `restoreNotebook`; undefined where there was no such notebook */
export async function deleteNotebook(id: string): Promise<WholeNotebook | undefined> {
  const transaction = (await database()).transaction(wholeStores, "readwrite");
  const range = ofNotebook(id);
  const [stored, versions, outputs] = await Promise.all([
    transaction.objectStore("notebooks").get(id),
    transaction.objectStore("versions").getAll(range),
    transaction.objectStore("outputs").getAll(range),
    transaction.objectStore("notebooks").delete(id),
    transaction.objectStore("versions").delete(range),
    transaction.objectStore("outputs").delete(range),
  ]);
  await transaction.done;
  return stored && { stored, versions, outputs };
}

/** Puts back what `deleteNotebook` returned. */
export async function restoreNotebook({ stored, versions, outputs }: WholeNotebook): Promise<void> {
  const transaction = (await database()).transaction(wholeStores, "readwrite");
  await Promise.all([
    transaction.objectStore("notebooks").put(stored),
    ...versions.map((version) => transaction.objectStore("versions").put(version)),
    ...outputs.map((output) => transaction.objectStore("outputs").put(output)),
  ]);
  await transaction.done;
}
