/** One request for what is still missing of a file. */
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { requireSpace } from "./partFile.ts";
import type { PartFile } from "./partFile.ts";

export interface AttemptOptions {
  url: string;
  part: PartFile;
  /** Exact size, where it is known beforehand. */
  expectedBytes?: number | undefined;
  /** Milliseconds without a byte after which the connection counts as dead. */
  stallTimeout: number;
  onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export type Outcome =
  | { isComplete: true }
  /** Worth another try, not before `after` milliseconds where the server says so. */
  | { isComplete: false; reason: string; after?: number | undefined };

/**
 * Asks for the bytes from the end of the part on, if the server still has the
 * same file (If-Range), and appends them. A server that ignores the range sends
 * everything, and the part starts anew.
 * @throws TinyGptvError for what another try would not change: `network` (no such file,
 *   another size than expected), `io`, `aborted`.
 */
export async function attempt(options: AttemptOptions): Promise<Outcome> {
  const { url, part, stallTimeout, signal } = options;
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), stallTimeout);
  try {
    const have = await part.size();
    const origin = await part.origin();
    const isResumed = have > 0 && origin?.url === url;
    const response = await fetch(url, {
      // Sizes and ranges must be those of the file itself.
      headers: {
        "accept-encoding": "identity",
        ...(isResumed && { range: `bytes=${have}-`, "if-range": origin.validator }),
      },
      signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    });
    timer.refresh();
    return await receive(response, isResumed ? have : 0, options, timer);
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof TinyGptvError) throw error;
    if (stall.signal.aborted) {
      return { isComplete: false, reason: `nothing came for ${stallTimeout / 1000} s` };
    }
    if (!(error instanceof TypeError)) throw error; // fetch: refused, reset, ended early
    return { isComplete: false, reason: reasonOf(error) };
  } finally {
    clearTimeout(timer);
    stall.abort(); // an answer that was refused by its headers is not read to its end
  }
}

async function receive(
  response: Response,
  have: number,
  { url, part, expectedBytes, onProgress }: AttemptOptions,
  timer: NodeJS.Timeout,
): Promise<Outcome> {
  const refused = await refusalOf(response, have, url, part);
  if (refused) return refused;
  const start = response.status === 206 ? have : 0;
  const length = Number(response.headers.get("content-length") ?? NaN);
  const total = Number.isNaN(length) ? undefined : start + length;
  requireSize(url, total, expectedBytes);
  await requireSpace(part.path, (total ?? start) - start);

  const validator = validatorOf(response.headers);
  const file = await part.openAt(start, validator === undefined ? undefined : { url, validator });
  let done = start;
  try {
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      await file.write(chunk, 0, chunk.length, done);
      done += chunk.length;
      onProgress?.(done, total);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const want = total ?? expectedBytes ?? done;
  if (done < want) return { isComplete: false, reason: `the end after ${done} of ${want} bytes` };
  requireSize(url, done, want);
  return { isComplete: true };
}

/** What to do about an answer that is not the file. */
async function refusalOf(
  response: Response,
  have: number,
  url: string,
  part: PartFile,
): Promise<Outcome | undefined> {
  const { status, headers } = response;
  if (status === 200) return undefined;
  if (status === 206 && headers.get("content-range")?.startsWith(`bytes ${have}-`))
    return undefined;
  await response.body?.cancel();
  if (status === 416 && headers.get("content-range") === `bytes */${have}`)
    return { isComplete: true };
  if (status === 206 || status === 416) {
    await part.discard();
    return { isComplete: false, reason: `not the range asked for (HTTP ${status})` };
  }
  const reason = `HTTP ${status} ${response.statusText}`.trim();
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get("retry-after") ?? NaN);
    return { isComplete: false, reason, after: Number.isNaN(seconds) ? undefined : seconds * 1000 };
  }
  throw new TinyGptvError("network", `${url}: want the file, got ${reason}`, {
    subject: String(status),
  });
}

function requireSize(url: string, got: number | undefined, want: number | undefined): void {
  if (got === undefined || want === undefined || got === want) return;
  throw new TinyGptvError("network", `${url}: want ${want} bytes, got ${got}`);
}

/** If-Range takes a strong ETag or a date. */
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  if (etag && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified") ?? undefined;
}

function reasonOf(error: TypeError): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
