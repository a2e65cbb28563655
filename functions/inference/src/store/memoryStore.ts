import { randomUUID } from "node:crypto";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import {
  assertCondition,
  assertKey,
  assertStart,
  getArguments,
  listArguments,
  putArguments,
} from "./arguments.ts";
import { chunks, streamOf } from "./chunks.ts";
import type { Store, StoredObject } from "./store.ts";

interface Held extends StoredObject {
  bytes: Uint8Array;
}

const chunkBytes = 64 * 1024;

/**
 * A store in this process's memory, for tests and for servers that keep nothing.
 * A `put` that would make it hold more than `maxBytes` is refused ("io").
 */
export function memoryStore({ maxBytes }: { maxBytes: number }): Store {
  const objects = new Map<string, Held>();
  /** Bytes of all objects and of those still arriving. */
  let held = 0;

  async function gather(key: string, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of body) {
        if (held + chunk.byteLength > maxBytes)
          throw new TinyGptvError(
            "io",
            `store: cannot write ${key}: the memory store is full (${maxBytes} bytes)`,
            { subject: key },
          );
        held += chunk.byteLength;
        size += chunk.byteLength;
        parts.push(chunk);
      }
      return new Uint8Array(Buffer.concat(parts, size));
    } catch (error) {
      held -= size;
      throw error;
    }
  }

  function remove(key: string): void {
    held -= objects.get(key)?.size ?? 0;
    objects.delete(key);
  }

  return {
    async put(key, body, options = {}) {
      const contentType = putArguments(key, options);
      assertCondition(key, options, objects.get(key)?.etag);
      const bytes = await gather(key, chunks(body, options.signal));
      try {
        assertCondition(key, options, objects.get(key)?.etag);
      } catch (error) {
        held -= bytes.byteLength;
        throw error;
      }
      remove(key);
      const object = {
        key,
        bytes,
        size: bytes.byteLength,
        etag: randomUUID(),
        modified: new Date(),
        contentType,
      };
      objects.set(key, object);
      return { etag: object.etag, size: object.size };
    },

    async get(key, options = {}) {
      const start = getArguments(key, options);
      throwIfAborted(options.signal);
      const object = objects.get(key);
      if (!object) return undefined;
      assertStart(key, start, object.size);
      const { bytes, ...stored } = object;
      let position = start;
      const next = async () => {
        const chunk = bytes.slice(position, position + chunkBytes);
        position += chunk.byteLength;
        return chunk.byteLength > 0 ? chunk : undefined;
      };
      return { ...stored, body: streamOf({ next, close: async () => {} }, options.signal) };
    },

    async head(key, options = {}) {
      assertKey(key);
      throwIfAborted(options.signal);
      const object = objects.get(key);
      if (!object) return undefined;
      const { bytes: _, ...stored } = object;
      return stored;
    },

    async list(options = {}) {
      const { prefix, limit } = listArguments(options);
      throwIfAborted(options.signal);
      const { cursor = "" } = options;
      const keys = [...objects.keys()]
        .filter((key) => key.startsWith(prefix) && key > cursor)
        .toSorted();
      const entries = keys.slice(0, limit).map((key) => {
        const { size, etag, modified } = objects.get(key)!;
        return { key, size, etag, modified };
      });
      return { entries, cursor: keys.length > limit ? entries.at(-1)?.key : undefined };
    },

    async delete(key, options = {}) {
      assertKey(key);
      throwIfAborted(options.signal);
      const object = objects.get(key);
      if (!object) return;
      assertCondition(key, options, object.etag);
      remove(key);
    },

    async check(options = {}) {
      throwIfAborted(options.signal);
    },
  };
}
