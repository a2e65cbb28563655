/** What the browser keeps: notebooks, their outputs, earlier versions and pictures. */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Notebook, Output } from "@tinygptv/notebook";

export interface StoredNotebook {
  id: string;
  /** Grows by one with every save; two tabs notice each other by it. */
  revision: number;
  updatedAt: number;
  notebook: Notebook;
}

export interface Version {
  notebookId: string;
  at: number;
  notebook: Notebook;
}

export interface StoredPicture {
  hash: string;
  bytes: Uint8Array<ArrayBuffer>;
  addedAt: number;
}

export interface StoredOutput {
  notebookId: string;
  cellId: string;
  /** The start of one of the cell's outputs; "baseline": the one pinned to compare others with. */
  kind: string;
  output: Output;
}

/** Which of a cell's outputs is shown. */
export interface StoredChoice {
  notebookId: string;
  cellId: string;
  kind: "shown";
  at: string;
}

interface Schema extends DBSchema {
  notebooks: { key: string; value: StoredNotebook };
  versions: { key: [string, number]; value: Version };
  outputs: { key: [string, string, string]; value: StoredOutput | StoredChoice };
  pictures: { key: string; value: StoredPicture };
}

export type Database = IDBPDatabase<Schema>;

let opened: Promise<Database> | undefined;

export function database(): Promise<Database> {
  opened ??= openDB<Schema>("tinygptv-playground", 1, {
    upgrade(db) {
      db.createObjectStore("notebooks", { keyPath: "id" });
      db.createObjectStore("versions", { keyPath: ["notebookId", "at"] });
      db.createObjectStore("outputs", { keyPath: ["notebookId", "cellId", "kind"] });
      db.createObjectStore("pictures", { keyPath: "hash" });
    },
  });
  return opened;
}

/** All keys that begin with a notebook's id. */
export const ofNotebook = (id: string): IDBKeyRange => IDBKeyRange.bound([id], [id, []]);
