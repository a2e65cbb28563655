/** Shared notebooks: read by whoever knows the id, deleted by the key that shared them. */
import { randomBytes } from "node:crypto";
import { notebookIdPattern } from "@tinygptv/protocol/http";
import type { Holding, Holdings } from "./holdings.ts";
import type { Store, StoredBody } from "./store/store.ts";

const prefix = "nb_";

/** An id that nobody can guess. */
export function notebookId(): string {
  return prefix + randomBytes(16).toString("hex");
}

function keyOf(id: string): string | undefined {
  return notebookIdPattern.test(id) ? `notebooks/${id.slice(prefix.length)}` : undefined;
}

export interface NotebookStore {
  put(owner: string, id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  get(id: string, signal: AbortSignal): Promise<StoredBody | undefined>;
  /** False where this owner shared none of this id. */
  remove(owner: string, id: string, signal: AbortSignal): Promise<boolean>;
  /** Once its entry is gone: removes its bytes. */
  forget(holding: Holding, signal?: AbortSignal): Promise<void>;
}

export function createNotebookStore(store: Store, holdings: Holdings): NotebookStore {
  return {
    put(owner, id, bytes, signal) {
      const write = async () => {
        const options = { contentType: "application/json", ifNoneMatch: "*", signal } as const;
        await store.put(keyOf(id)!, bytes, options);
      };
      return holdings.add({ owner, id, bytes: bytes.length }, write, signal);
    },
    async get(id, signal) {
      const key = keyOf(id);
      const stored = key === undefined ? undefined : await store.get(key, { signal });
      if (!stored || !holdings.isOver(id, stored.modified)) return stored;
      await stored.body.cancel();
      return undefined;
    },
    forget: ({ id }, signal) => store.delete(keyOf(id)!, { signal }),
    async remove(owner, id, signal) {
      const key = keyOf(id);
      const stored = key === undefined ? undefined : await store.head(key, { signal });
      if (key === undefined || !stored) return false;
      const holding = { owner, id, bytes: stored.size };
      if (!(await holdings.has(holding, signal))) return false;
      await store.delete(key, { signal });
      await holdings.remove(holding, { signal });
      return true;
    },
  };
}
