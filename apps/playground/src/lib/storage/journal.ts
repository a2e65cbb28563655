/**
 * The last changes, written synchronously: a page that is closed or crashes
 * before the next save loses nothing. Each tab has a journal of its own, so
 * that two tabs do not write over each other's.
 */
import { browser } from "$app/env";
import { canonicalJson, checkNotebook } from "@tinygptv/notebook";
import type { Cell, Notebook } from "@tinygptv/notebook";
import { newId } from "#lib/notebook/newId.ts";
import type { StoredNotebook } from "./database.ts";
import { conflictCopy } from "./merge.ts";

export interface Journal {
  /** The stored revision it is newer than. */
  revision: number;
  /** Ids of all cells, in their order. */
  order: string[];
  /** The notebook, with only those cells that changed. */
  changed: Notebook;
}

const prefixOf = (notebookId: string): string => `journal:${notebookId}:`;
const tab = newId();
const ownKey = (notebookId: string): string => prefixOf(notebookId) + tab;

/** Held for as long as this tab lives: other tabs leave its journals alone. */
const lockOf = (key: string): string => `tab:${key.slice(key.lastIndexOf(":") + 1)}`;
// Without a secure context there are no locks; a journal then counts as one left behind.
if (browser) void navigator.locks?.request(lockOf(tab), () => new Promise(() => {}));

/** @returns false where the browser has no room for it */
export function writeJournal(notebookId: string, journal: Journal): boolean {
  try {
    localStorage.setItem(ownKey(notebookId), JSON.stringify(journal));
    return true;
  } catch {
    return false;
  }
}

export const clearJournal = (notebookId: string): void =>
  localStorage.removeItem(ownKey(notebookId));

/** Journals that were not saved: of tabs that are gone, and of this one. By their keys. */
export async function journalsLeft(notebookId: string): Promise<Map<string, Journal>> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const alive = new Set(held.map(({ name }) => name));
  const keys = Object.keys(localStorage).filter(
    (key) =>
      key.startsWith(prefixOf(notebookId)) &&
      (key === ownKey(notebookId) || !alive.has(lockOf(key))),
  );
  return new Map(
    keys.flatMap((key) => {
      const journal = readJournal(key);
      return journal === undefined ? [] : [[key, journal]];
    }),
  );
}

export const dropJournals = (keys: Iterable<string>): void => {
  for (const key of keys) localStorage.removeItem(key);
};

function readJournal(key: string): Journal | undefined {
  try {
    const { revision, order, changed } = JSON.parse(localStorage.getItem(key) ?? "") as Journal;
    return { revision, order: order.map(String), changed: checkNotebook(changed) };
  } catch {
    // Cut off by a crash while it was written: the stored notebook stands.
    return undefined;
  }
}

/**
 * The notebook as the tab had it. Where another tab saved after the journal was
 * begun, its cells do not replace the newer ones but stand beside them.
 */
export function withJournal(
  { notebook, revision }: StoredNotebook,
  { changed, order, revision: begun }: Journal,
): Notebook {
  const stored = new Map(notebook.cells.map((cell) => [cell.id, cell]));
  const mine = new Map(changed.cells.map((cell) => [cell.id, cell]));
  if (begun === revision)
    return { ...changed, cells: order.flatMap((id) => mine.get(id) ?? stored.get(id) ?? []) };
  const beside = (cell: Cell): Cell[] => {
    const other = mine.get(cell.id);
    return other === undefined || canonicalJson(other) === canonicalJson(cell)
      ? [cell]
      : [cell, conflictCopy(other)];
  };
  const fresh = changed.cells.filter(({ id }) => !stored.has(id));
  return { ...notebook, cells: [...notebook.cells.flatMap(beside), ...fresh] };
}
