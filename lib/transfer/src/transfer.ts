import { mkdir } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { discardPart, finishPart, openPart, requireSpace, startAnew, takeUp } from "./partFile.ts";
import type { PartFile } from "./partFile.ts";
import { retry } from "./retry.ts";
import type { RetryOptions } from "./retry.ts";
import { Interruption } from "./source.ts";
import type { Source } from "./source.ts";
import { limitStalls, within } from "./stall.ts";

export interface TransferOptions extends RetryOptions {
  source: Source;
  /** Path of the file; while it comes, `.part` and `.part.json` stand beside it. */
  target: string;
  /** Exact size, where it is known beforehand. */
  bytes?: number | undefined;
  /** Checksum in hex, where one is known. */
  sha256?: string | undefined;
  /** Called as bytes arrive, with how many of the file's are on disk. */
  onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  /** Milliseconds without a byte after which a connection counts as dead (default 60,000). */
  stallTimeout?: number | undefined;
}

/** What arrived; its sha256 in hex. */
export interface Transferred {
  sha256: string;
  bytes: number;
}

/** Copies that turn out corrupt before it gives up. */
const maxCopies = 3;

/**
 * Brings a file to `target`. What an earlier transfer left is resumed, also
 * that of another process; dropped and stalled connections are taken up again;
 * a copy with a wrong checksum is fetched anew. The file appears under its name
 * only when it is whole.
 *
 * @throws TinyGptvError `network` after six tries in a row that brought nothing
 *   (what is there stays for the next time), three corrupt copies, a wrong size;
 *   `io` where the disk has no room; `aborted`; what the source threw; other
 *   errors of the disk as they are.
 */
export async function transfer(options: TransferOptions): Promise<Transferred> {
  const { source, target, bytes, sha256, signal } = options;
  await mkdir(dirname(target), { recursive: true });
  const part = await takeUp(target, source.name, signal);
  if (bytes !== undefined && part.bytes > bytes) startAnew(part);
  for (let copies = 1; ; copies++) {
    const attempt = () => attemptOnce(options, part);
    await retry(`${source.name}: want the file`, attempt, options, () => part.bytes);
    const got = part.hash.copy().digest("hex");
    if (sha256 === undefined || got === sha256) {
      await finishPart(target);
      return { sha256: got, bytes: part.bytes };
    }
    const reason = `sha256: want ${sha256}, got ${got}`;
    await discardPart(target, part);
    if (copies === maxCopies) {
      throw new TinyGptvError("network", `${source.name}: ${reason}, in ${copies} copies`);
    }
    options.onRetry?.(reason, 0);
  }
}

/** One request for what is still missing. */
async function attemptOnce(options: TransferOptions, part: PartFile): Promise<void> {
  const { source, target, bytes, signal, stallTimeout = 60_000, onProgress } = options;
  if (bytes === part.bytes) {
    // All there, of an earlier transfer, or nothing to come.
    return (await openPart(target, part, source.name, part.validator)).close();
  }
  const limit = limitStalls(stallTimeout, signal);
  try {
    const opened = await limit.wait(source.open(part, limit.signal));
    const chunks = within(opened.body, limit);
    if (opened.start !== part.bytes) startAnew(part);
    requireSize(source, opened.size, bytes);
    await requireSpace(target, source.name, (opened.size ?? part.bytes) - part.bytes);

    const file = await openPart(target, part, source.name, opened.validator);
    try {
      for await (const chunk of chunks) {
        await writeAll(file, chunk, part.bytes);
        part.hash.update(chunk);
        part.bytes += chunk.length;
        onProgress?.(part.bytes, opened.size);
        if (part.bytes === opened.size) break; // whoever forgets to say that this was all
      }
      await file.sync();
    } finally {
      await file.close();
    }
    const want = opened.size ?? bytes ?? part.bytes;
    if (part.bytes < want) throw new Interruption(`the end after ${part.bytes} of ${want} bytes`);
    requireSize(source, part.bytes, want);
  } catch (error) {
    if (error instanceof Interruption && error.isFromStart) await discardPart(target, part);
    throw error;
  } finally {
    limit.end(); // an answer that was refused is not read to its end
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const rest = chunk.length - done;
    done += (await file.write(chunk, done, rest, position + done)).bytesWritten;
  }
}

function requireSize({ name }: Source, got: number | undefined, want: number | undefined): void {
  if (got === undefined || want === undefined || got === want) return;
  throw new TinyGptvError("network", `${name}: want ${want} bytes, got ${got}`);
}
