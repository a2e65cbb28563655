import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { attempt } from "./attempt.ts";
import type { AttemptOptions } from "./attempt.ts";
import { sha256OfFile } from "./checksums.ts";
import { diskError, partFileOf } from "./partFile.ts";
import type { PartFile } from "./partFile.ts";

export interface DownloadOptions {
  url: string;
  target: string;
  expectedBytes?: number | undefined;
  /** Checksum in hex, where one is known. */
  sha256?: string | undefined;
  onProgress?: AttemptOptions["onProgress"];
  /** Something went wrong that another try may mend. */
  onRetry?: ((reason: string, delay: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  stallTimeout?: number;
  /** Milliseconds before the next try, after so many failures in a row. */
  retryDelay?: (failures: number) => number;
}

/** Tries in a row that bring no byte before it gives up. */
const maxFailures = 6;

/**
 * Downloads a file to `target`, by way of `target.part`: what is there already
 * is resumed, dropped connections are taken up again, and the file appears
 * under its name only when it is whole. A wrong checksum costs one new download.
 * @returns its checksum and size
 * @throws TinyGptvError `network`, `io`, `aborted`; but for a wrong checksum the part stays.
 */
export async function download(
  options: DownloadOptions,
): Promise<{ sha256: string; bytes: number }> {
  try {
    await mkdir(dirname(options.target), { recursive: true });
    return await downloadChecked(options, partFileOf(options.target));
  } catch (error) {
    throw diskError(error, options.target);
  }
}

async function downloadChecked(
  { url, sha256, ...options }: DownloadOptions,
  part: PartFile,
): Promise<{ sha256: string; bytes: number }> {
  const { signal } = options;
  for (const isLastTry of [false, true]) {
    await complete({ url, ...options }, part);
    const sum = await sha256OfFile(part.path, signal ? { signal } : {});
    if (sha256 === undefined || sum === sha256) {
      const bytes = await part.size();
      await part.finish();
      return { sha256: sum, bytes };
    }
    await part.discard();
    if (isLastTry) {
      throw new TinyGptvError("network", `${url}: sha256: want ${sha256}, got ${sum}, twice`);
    }
    options.onRetry?.(`sha256: want ${sha256}, got ${sum}`, 0);
  }
  throw new TinyGptvError("network", `${url}: not downloaded`);
}

/** Asks again and again until the part is whole. */
async function complete(options: DownloadOptions, part: PartFile): Promise<void> {
  const { url, expectedBytes, onProgress, onRetry, signal } = options;
  const { stallTimeout = 60_000, retryDelay = (n) => Math.min(1000 * 2 ** (n - 1), 30_000) } =
    options;
  let failures = 0;
  for (;;) {
    const before = await part.size();
    const outcome = await attempt({ url, part, expectedBytes, stallTimeout, onProgress, signal });
    if (outcome.isComplete) return;
    failures = (await part.size()) > before ? 1 : failures + 1;
    if (failures >= maxFailures) {
      throw new TinyGptvError(
        "network",
        `${url}: want the file, got ${outcome.reason} (${failures} tries); what is there is kept for the next time`,
      );
    }
    const delay = Math.max(retryDelay(failures), outcome.after ?? 0);
    onRetry?.(outcome.reason, delay);
    await sleep(delay, undefined, signal ? { signal } : {}).catch(() => throwIfAborted(signal));
  }
}
