/** What every store checks before it does anything. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { GetOptions, ListOptions, PutOptions } from "./store.ts";

/** Vercel Blob takes 950 characters (MAXIMUM_PATHNAME_LENGTH); a path on disk needs room for its root. */
const maxKeyLength = 512;
/** A file system's limit of 255 bytes a name, less what stores append. */
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(;[ -~]*)?$/;
const maxContentTypeLength = 200;

const defaultContentType = "application/octet-stream";
const maxPage = 1000;

function reject(subject: string, want: string, got: unknown): never {
  const shown = JSON.stringify(typeof got === "string" ? got.slice(0, 80) : got);
  throw new TinyGptvError("parameter", `store ${subject}: want ${want}, got ${shown}`, { subject });
}

export function isKey(key: string): boolean {
  return key.length <= maxKeyLength && key.split("/").every((part) => segment.test(part));
}

/**
 * Throws unless the key is `segment/segment/…` of letters, digits, `.`, `_`, `-`,
 * no segment beginning with a dot: safe as a path on any file system and as a URL.
 */
export function assertKey(key: string): void {
  if (isKey(key)) return;
  reject(
    "key",
    `"/"-separated segments of A-Z a-z 0-9 . _ - (none empty or starting with a dot), at most ${maxKeyLength} characters`,
    key,
  );
}

/** Checks a `put` and returns its content type. */
export function putArguments(key: string, options: PutOptions): string {
  assertKey(key);
  if (options.ifMatch !== undefined && options.ifNoneMatch !== undefined)
    reject("ifMatch", "one of ifMatch and ifNoneMatch", { ...options, signal: undefined });
  const contentType = options.contentType ?? defaultContentType;
  if (contentType.length > maxContentTypeLength || !mediaType.test(contentType))
    reject(
      "contentType",
      `a media type of at most ${maxContentTypeLength} characters`,
      contentType,
    );
  return contentType;
}

/** Checks a `get` and returns the first byte wanted. */
export function getArguments(key: string, { start = 0 }: GetOptions): number {
  assertKey(key);
  if (!Number.isSafeInteger(start) || start < 0) reject("start", "a byte position", start);
  return start;
}

/** `start` against the size, known only once the object is found. */
export function assertStart(key: string, start: number, size: number | undefined): void {
  if (start > 0 && (size === undefined || start >= size))
    reject("start", `less than the size of ${key}${size === undefined ? "" : ` (${size})`}`, start);
}

/** Checks a `list` and fills in its defaults. */
export function listArguments(options: ListOptions): { prefix: string; limit: number } {
  const { prefix = "", limit = maxPage } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPage)
    reject("limit", `an integer from 1 to ${maxPage}`, limit);
  return { prefix, limit };
}

/** The error of a condition that does not hold. */
export function conflict(key: string, options: PutOptions, got: string): TinyGptvError {
  const want = options.ifNoneMatch ? "no object" : `etag ${options.ifMatch}`;
  return new TinyGptvError("conflict", `store ${key}: want ${want}, got ${got}`, { subject: key });
}

/** Throws "conflict" unless the object there now (its etag, undefined for none) is the one meant. */
export function assertCondition(key: string, options: PutOptions, found: string | undefined): void {
  const holds = options.ifNoneMatch
    ? found === undefined
    : options.ifMatch === undefined || options.ifMatch === found;
  if (!holds) throw conflict(key, options, found === undefined ? "none" : `etag ${found}`);
}
