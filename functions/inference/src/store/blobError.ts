import { BlobNotFoundError, BlobPreconditionFailedError } from "@vercel/blob";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { conflict } from "./arguments.ts";
import type { PutOptions } from "./store.ts";

function describe(action: string, key: string, options: PutOptions, cause: unknown): TinyGptvError {
  const text = cause instanceof Error ? cause.message.replace("Vercel Blob: ", "") : String(cause);
  if (cause instanceof BlobPreconditionFailedError) return conflict(key, options, "another");
  if (cause instanceof BlobNotFoundError && options.ifMatch) return conflict(key, options, "none");
  // Where overwriting is not allowed the API answers `bad_request`; only its text tells.
  if (options.ifNoneMatch && text.includes("already exists")) return conflict(key, options, "one");
  return new TinyGptvError("network", `store: cannot ${action} ${key}: ${text}`, {
    subject: key,
    cause,
  });
}

/**
 * Runs a call of the Blob client and turns its errors into ours: a condition
 * that does not hold into "conflict", the caller's abort into "aborted", all
 * else into "network".
 */
export async function onBlob<T>(
  action: string,
  key: string,
  options: PutOptions,
  call: () => Promise<T>,
): Promise<T> {
  throwIfAborted(options.signal);
  try {
    return await call();
  } catch (cause) {
    throwIfAborted(options.signal);
    throw describe(action, key, options, cause);
  }
}

/** Whether an error of `onBlob` says that there is no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof TinyGptvError && error.cause instanceof BlobNotFoundError;
}
