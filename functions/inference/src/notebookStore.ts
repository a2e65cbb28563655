/** Shared notebooks: read by whoever knows the id, deleted by the key that shared them. */
import { createHash, randomBytes } from "node:crypto";
import { notebookIdPattern } from "@tinygptv/protocol/http";
import { HttpError } from "./errors.ts";
import type { Holding, Holdings } from "./holdings.ts";
import { isConflict } from "./store/store.ts";
import type { Store, StoredBody } from "./store/store.ts";

const prefix = "nb_";
/** Digits of an id that tell the attempts at one upload from all others; the rest tells what was uploaded. */
const attemptDigits = 16;

/** An id that nobody can guess. */
export function notebookId(): string {
  return prefix + randomBytes(16).toString("hex");
}

/**
 * The id of what an owner uploads under an idempotency key: the same at every
 * attempt, and not to be guessed by who does not have the content.
 */
export function repeatableId(owner: string, idempotencyKey: string, content: string): string {
  const digest = (...parts: string[]) =>
    createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, attemptDigits);
  return prefix + digest(owner, idempotencyKey) + digest(owner, idempotencyKey, content);
}

function keyOf(id: string): string | undefined {
  return notebookIdPattern.test(id) ? `notebooks/${id.slice(prefix.length)}` : undefined;
}

export interface NotebookStore {
  /**
   * False where it is kept already: an earlier attempt got through.
   * @throws HttpError idempotency_key_reused where a repeatable id's key was used for something else
   */
  put(owner: string, id: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean>;
  get(id: string, signal: AbortSignal): Promise<StoredBody | undefined>;
  /** False where this owner shared none of this id. */
  remove(owner: string, id: string, signal: AbortSignal): Promise<boolean>;
  /** Once its entry is gone: removes its bytes. */
  forget(holding: Holding, signal?: AbortSignal): Promise<void>;
}

export function createNotebookStore(store: Store, holdings: Holdings): NotebookStore {
  /** Attempts at one upload begin alike: what else begins so is another upload under the same key. */
  async function assertSameUpload(key: string, signal: AbortSignal): Promise<void> {
    const attempt = key.slice(0, "notebooks/".length + attemptDigits);
    const { entries } = await store.list({ prefix: attempt, signal });
    if (entries.length === 0 || entries.some((entry) => entry.key === key)) return;
    throw new HttpError(
      "idempotency_key_reused",
      "idempotency-key: want a new one for another notebook, got one that was used before",
    );
  }

  return {
    async put(owner, id, bytes, signal) {
      const key = keyOf(id)!;
      await assertSameUpload(key, signal);
      let isNew = true;
      const write = async () => {
        const options = { contentType: "application/json", ifNoneMatch: "*", signal } as const;
        await store.put(key, bytes, options).catch((error: unknown) => {
          if (!isConflict(error)) throw error;
          isNew = false;
        });
      };
      await holdings.add({ owner, id, bytes: bytes.length }, write, signal);
      return isNew;
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
