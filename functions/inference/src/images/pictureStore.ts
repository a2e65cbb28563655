/**
 * Uploaded pictures. Their bytes are kept once, under their hash
 * (`images/<hash>`), with a mark for each key that keeps them
 * (`images/<hash>/<owner>`). A key sees its own pictures only, and deletes its own only.
 */
import { createHash } from "node:crypto";
import { TinyGptvError } from "@tinygptv/protocol";
import { imageIdPattern } from "@tinygptv/protocol/http";
import type { ImageType } from "@tinygptv/protocol/http";
import type { Holding, Holdings } from "../holdings.ts";
import { isConflict } from "../store/store.ts";
import type { Store } from "../store/store.ts";

const prefix = "img_";

export function pictureId(bytes: Uint8Array): string {
  return prefix + createHash("sha256").update(bytes).digest("hex");
}

/** Only ids of the exact form become keys: nothing of a caller's text reaches the store otherwise. */
function keyOf(id: string): string | undefined {
  return imageIdPattern.test(id) ? `images/${id.slice(prefix.length)}` : undefined;
}

/** A picture that is there, before it is read. */
export interface StoredPicture {
  readonly size: number;
  readonly contentType: string;
  /** All of its bytes. */
  read(): Promise<Uint8Array>;
  /** Its bytes as they are asked for. */
  open(): Promise<AsyncIterator<Uint8Array>>;
}

export interface PictureStore {
  /** Keeps a picture; `created` is false where this owner had it already. */
  put(
    owner: string,
    bytes: Uint8Array,
    contentType: ImageType,
    signal: AbortSignal,
  ): Promise<{ id: string; created: boolean }>;
  /** Undefined where the owner has none of this id, whoever else has, or the id is none. */
  find(owner: string, id: string, signal: AbortSignal): Promise<StoredPicture | undefined>;
  /** False where there was nothing to delete. */
  remove(owner: string, id: string, signal: AbortSignal): Promise<boolean>;
  /** Once its entry is gone: removes the mark, and the bytes where nobody keeps them any more. */
  forget(holding: Holding, signal?: AbortSignal): Promise<void>;
}

export function createPictureStore(store: Store, holdings: Holdings): PictureStore {
  async function locate(owner: string, id: string, signal: AbortSignal) {
    const key = keyOf(id);
    if (key === undefined) return undefined;
    const stored = await store.head(key, { signal });
    const holding: Holding = { owner, id, bytes: stored?.size ?? 0 };
    // Asked in both cases: how long an answer takes must not tell what others keep.
    const kept = await holdings.has(holding, signal);
    return kept && stored ? { key, stored, holding } : undefined;
  }

  async function forget({ owner, id }: Holding, signal?: AbortSignal): Promise<void> {
    const key = keyOf(id)!;
    const stored = await store.head(key, { signal });
    await store.delete(`${key}/${owner}`, { signal });
    const { entries } = await store.list({ prefix: `${key}/`, limit: 1, signal });
    if (stored && entries.length === 0) await deleteUnchanged(store, key, stored.etag, signal);
  }

  return {
    forget,

    async put(owner, bytes, contentType, signal) {
      const id = pictureId(bytes);
      const key = keyOf(id)!;
      const had = (await locate(owner, id, signal)) !== undefined;
      const write = async () => {
        if (had) return;
        await store.put(`${key}/${owner}`, new Uint8Array(), { signal });
        // Also over equal bytes: whoever is about to delete those as nobody's finds others.
        await store.put(key, bytes, { contentType, signal });
      };
      await holdings.add({ owner, id, bytes: bytes.length }, write, signal);
      return { id, created: !had };
    },

    async find(owner, id, signal) {
      const found = await locate(owner, id, signal);
      if (!found) return undefined;
      const { key, stored } = found;
      const open = async () => {
        const object = await store.get(key, { signal });
        if (!object)
          throw new TinyGptvError("io", `store ${key}: want the picture, got none: it was deleted`);
        return object.body.values();
      };
      return {
        size: stored.size,
        contentType: stored.contentType,
        open,
        read: async () => {
          const bytes = new Uint8Array(stored.size);
          let at = 0;
          const chunks = await open();
          for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
            bytes.set(next.value, at);
            at += next.value.length;
          }
          return bytes;
        },
      };
    },

    async remove(owner, id, signal) {
      const found = await locate(owner, id, signal);
      if (!found) return false;
      await holdings.remove(found.holding, { signal });
      await forget(found.holding, signal);
      return true;
    },
  };
}

/** Not where it was written anew meanwhile: then somebody keeps it. */
async function deleteUnchanged(
  store: Store,
  key: string,
  ifMatch: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await store.delete(key, { ifMatch, signal });
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
