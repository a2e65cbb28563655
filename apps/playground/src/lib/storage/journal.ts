/**
 * The last keystrokes, written synchronously: a page that is closed or crashes
 * before the next save loses nothing. Holds only cells changed since then.
 */
import { cellSchema, type Cell } from "tinygptv/notebook";

const keyOf = (notebookId: string): string => `journal:${notebookId}`;

export interface Journal {
  /** The stored revision these cells are newer than. */
  revision: number;
  cells: Cell[];
}

export function readJournal(notebookId: string): Journal | undefined {
  const text = localStorage.getItem(keyOf(notebookId));
  if (text === null) return undefined;
  try {
    const data = JSON.parse(text) as Journal;
    return {
      revision: data.revision,
      cells: data.cells.map((cell) => cellSchema.parse(cell)),
    };
  } catch {
    // Cut off by a crash while it was written: the stored notebook stands.
    return undefined;
  }
}

/** @returns false where the browser has no room for it */
export function writeJournal(notebookId: string, journal: Journal): boolean {
  try {
    localStorage.setItem(keyOf(notebookId), JSON.stringify(journal));
    return true;
  } catch {
    return false;
  }
}

export const clearJournal = (notebookId: string): void =>
  localStorage.removeItem(keyOf(notebookId));
