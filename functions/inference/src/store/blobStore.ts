import * as blob from "@vercel/blob";
import { TinyGptvError } from "@tinygptv/protocol";
import {
  assertKey,
  assertStart,
  getArguments,
  isKey,
  listArguments,
  putArguments,
} from "./arguments.ts";
import { isMissing, onBlob } from "./blobError.ts";
import { partsOf, sendParts } from "./blobParts.ts";
import { chunks, streamOf, type ChunkSource } from "./chunks.ts";
import type { Store, StoredObject } from "./store.ts";

/** What fits into one part goes up in one request; the client cuts its own parts at the same size. */
const partBytes = 8 * 1024 * 1024;

export interface BlobStoreOptions {
  /** Read-write token; without one the client takes its credentials from the environment. */
  token?: string;
}

/**
 * A store in Vercel Blob, all objects private. Bodies over 8 MiB go up in
 * parts. The client repeats failed requests and parts (VERCEL_BLOB_RETRIES, 10
 * unless set); a body that breaks off while it is read is an error of its
 * stream, and the reader's to resume with `start`.
 */
export function blobStore({ token }: BlobStoreOptions = {}): Store {
  async function head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    try {
      const call = () => blob.head(key, { token, abortSignal: signal });
      const { size, etag, contentType, uploadedAt } = await onBlob("read", key, { signal }, call);
      return { key, size, etag, contentType, modified: uploadedAt };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    async put(key, body, options = {}) {
      const contentType = putArguments(key, options);
      const { ifMatch, ifNoneMatch, signal } = options;
      const ended = new AbortController();
      const settings: blob.PutCommandOptions = {
        access: "private",
        addRandomSuffix: false,
        allowOverwrite: ifNoneMatch === undefined,
        ifMatch,
        contentType,
        token,
        abortSignal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
      };
      const call = <T>(action: () => Promise<T>) => onBlob("write", key, options, action);
      const parts = partsOf(chunks(body, signal), partBytes);
      try {
        const first = (await parts.next()).value as Buffer;
        if (first.byteLength < partBytes) {
          const { etag } = await call(() => blob.put(key, first, settings));
          return { etag, size: first.byteLength };
        }
        let size = 0;
        const uploader = await call(() => blob.createMultipartUploader(key, settings));
        const sent = await sendParts(first, parts, (number, bytes) => {
          size += bytes.byteLength;
          return call(() => uploader.uploadPart(number, bytes));
        });
        const { etag } = await call(() => uploader.complete(sent));
        return { etag, size };
      } finally {
        ended.abort(); // parts still under way when another one failed
        await parts.return();
      }
    },

    async get(key, options = {}) {
      const start = getArguments(key, options);
      const { signal } = options;
      const call = () =>
        blob.get(key, {
          access: "private",
          useCache: false, // the CDN shows a new version only after a minute
          token,
          abortSignal: signal,
          headers: {
            "accept-encoding": "identity", // a compressed answer has another length and etag
            ...(start > 0 && { range: `bytes=${start}-` }),
          },
        });
      const found = await onBlob("read", key, { signal }, call).catch((error) => {
        // The client has no error of its own for 416.
        if (error instanceof TinyGptvError && / 416\b/.test(error.message))
          assertStart(key, start, undefined);
        throw error;
      });
      if (found?.statusCode !== 200) return undefined;
      const { etag, contentType, uploadedAt } = found.blob;
      const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(found.headers.get("content-range") ?? "");
      const source = readerSource(key, found.stream, range ? 0 : start, signal);
      const size = range ? Number(range[2]) : found.blob.size;
      return { key, size, etag, contentType, modified: uploadedAt, body: streamOf(source, signal) };
    },

    head(key, options = {}) {
      assertKey(key);
      return head(key, options.signal);
    },

    async list(options = {}) {
      const { prefix, limit } = listArguments(options);
      const { cursor, signal } = options;
      const call = () => blob.list({ prefix, limit, cursor, token, abortSignal: signal });
      const page = await onBlob("list", prefix, { signal }, call);
      const entries = page.blobs
        .filter(({ pathname }) => isKey(pathname)) // folders made in the dashboard end in "/"
        .map(({ pathname, size, etag, uploadedAt }) => ({
          key: pathname,
          size,
          etag,
          modified: uploadedAt,
        }));
      return { entries, cursor: page.hasMore ? page.cursor : undefined };
    },

    async delete(key, options = {}) {
      assertKey(key);
      const { ifMatch, signal } = options;
      try {
        await onBlob("delete", key, options, () =>
          blob.del(key, { ifMatch, token, abortSignal: signal }),
        );
      } catch (error) {
        if ((await head(key, signal)) !== undefined) throw error;
      }
    },

    /** That it answers, to this token: writing is what costs. */
    async check({ signal } = {}) {
      await onBlob("list", "", { signal }, () =>
        blob.list({ limit: 1, token, abortSignal: signal }),
      );
    },
  };
}

/** A response's bytes, the first `skip` of them left out (a server may ignore a range). */
function readerSource(
  key: string,
  stream: ReadableStream<Uint8Array>,
  skip: number,
  signal: AbortSignal | undefined,
): ChunkSource {
  const reader = stream.getReader();
  const read = () => onBlob("read", key, { signal }, () => reader.read());
  return {
    async next() {
      while (true) {
        const { done, value } = await read();
        if (done) return undefined;
        const chunk = value.subarray(skip);
        skip -= Math.min(skip, value.byteLength);
        if (chunk.byteLength > 0) return chunk;
      }
    },
    close: () => reader.cancel(),
  };
}
