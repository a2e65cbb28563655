import { TinyGptvError } from "@tinygptv/protocol";
import { Interruption } from "@tinygptv/transfer";
import type { Source } from "@tinygptv/transfer";
import type { Store } from "../store/store.ts";
import type { ListedFile } from "./digest.ts";

/** What a store says of the network may be otherwise at the next try. */
export function interrupted(error: unknown): unknown {
  if (!(error instanceof TinyGptvError && error.code === "network")) return error;
  return new Interruption(error.message, { cause: error });
}

/** A file of a model in a store, where files are named by their content: what has come stays right. */
export function storeSource(store: Store, key: string, file: ListedFile): Source {
  return {
    name: file.path,
    async open({ bytes }, signal) {
      const found = await store.get(key, { start: bytes, signal }).catch((error: unknown) => {
        throw interrupted(error);
      });
      if (found?.size !== file.bytes) {
        await found?.body.cancel();
        const got = found ? `${found.size} bytes` : "no such object";
        throw new TinyGptvError(
          "model",
          `${file.path}: want ${file.bytes} bytes at ${key} in the store, got ${got}`,
          { subject: file.path },
        );
      }
      return { start: bytes, size: found.size, validator: file.sha256, body: chunksOf(found.body) };
    },
  };
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw interrupted(error);
  }
}
