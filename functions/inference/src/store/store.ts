/**
 * The storage port: named objects in one flat space, as object stores have
 * them. Three implementations: `fileStore`, `memoryStore`, `blobStore`; one
 * contract suite (`testing/storeContract.ts`) holds all of them to what is said here.
 *
 * All methods reject with TinyGptvError: "parameter" for a bad key or option,
 * "conflict" for a condition that does not hold, "io" (disk, memory bound) or
 * "network" (Blob) where storage refuses, "aborted" when the signal fires.
 * What is absent is no error: `get` and `head` answer undefined.
 */
import { TinyGptvError } from "@tinygptv/protocol";

/** Metadata of an object; there is none beyond this (Blob keeps no more). */
export interface StoredObject {
  key: string;
  /** Bytes. */
  size: number;
  /** Opaque; changes with every change of the content. */
  etag: string;
  modified: Date;
  contentType: string;
}

/** An object and its bytes; the body must be read to its end or cancelled. */
export interface StoredBody extends StoredObject {
  body: ReadableStream<Uint8Array>;
}

export type StoredEntry = Omit<StoredObject, "contentType">;

export interface ListPage {
  /** In the order of their keys' code units. */
  entries: StoredEntry[];
  /** Where the next page begins; undefined on the last one. */
  cursor: string | undefined;
}

export interface PutOptions {
  /** `application/octet-stream` where it is not given. */
  contentType?: string;
  /** Write only over the object that has this etag. */
  ifMatch?: string;
  /** `"*"`: write only where no object is. Excludes `ifMatch`. */
  ifNoneMatch?: "*";
  signal?: AbortSignal;
}

export interface GetOptions {
  /** First byte wanted, 0 or less than the size; `size` still says the whole object's. */
  start?: number;
  signal?: AbortSignal;
}

export interface ListOptions {
  prefix?: string;
  cursor?: string;
  /** Entries a page, 1 to 1000 (default 1000). */
  limit?: number;
  signal?: AbortSignal;
}

export interface Store {
  /**
   * Writes a whole object, or nothing: readers see the old bytes until all of
   * the new ones are there. The body is consumed as it comes, never gathered;
   * an error of the body itself is passed on as it is.
   */
  put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<{ etag: string; size: number }>;
  get(key: string, options?: GetOptions): Promise<StoredBody | undefined>;
  head(key: string, options?: { signal?: AbortSignal }): Promise<StoredObject | undefined>;
  list(options?: ListOptions): Promise<ListPage>;
  /** Resolves where there was nothing to delete; with `ifMatch`, deletes only the object that has this etag. */
  delete(key: string, options?: { ifMatch?: string; signal?: AbortSignal }): Promise<void>;
  /** Resolves where objects could be written now; rejects with the reason why not. Costs little. */
  check(options?: { signal?: AbortSignal }): Promise<void>;
}

/** Whether a condition of `put` or `delete` did not hold. */
export function isConflict(error: unknown): boolean {
  return error instanceof TinyGptvError && error.code === "conflict";
}

/** Every entry under a prefix, page after page. */
export async function* listAll(
  store: Store,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<StoredEntry> {
  let cursor: string | undefined;
  do {
    const page = await store.list({ prefix, cursor, signal });
    yield* page.entries;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
