import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { httpSource, sha256Of, transfer } from "@tinygptv/transfer";
import { interruptible } from "../terminal/interrupt.ts";
import { coloursFor, formatBytes, formatSeconds, note, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import type { Progress } from "../terminal/progress.ts";
import { checksumsName, formatChecksums, parseChecksums } from "./checksums.ts";
import { diskError } from "./diskError.ts";
import { expectedFiles } from "./expected.ts";
import type { Expectations } from "./expected.ts";
import type { PublishedFile } from "./publishedFiles.ts";

export interface PullFlags extends Expectations {
  out: string;
  json?: boolean;
}

/** What became of one file. */
interface Pulled {
  path: string;
  status: "downloaded" | "present" | "absent";
  bytes?: number;
  sha256?: string;
  /** Whether the checksum was compared with a known one. */
  verified: boolean;
}

interface Work {
  out: string;
  progress: Progress;
  signal: AbortSignal;
}

export async function pull(flags: PullFlags): Promise<void> {
  const { out } = flags;
  const progress = createProgress();
  const results = await interruptible(async (signal) => {
    const files = await expectedFiles(flags, signal);
    await announce(files, out);
    const done: Pulled[] = [];
    for (const file of files) {
      const result = await pullFile(file, { out, progress, signal });
      await record(out, result);
      done.push(result);
    }
    return done;
  }).finally(progress.clear);
  if (flags.json) printJson(results);
  else note(`Convert them: tinygptv convert --from ${out} --out models/tinygpt-v`);
}

/** How much there is to do, before any of it is done. */
async function announce(files: readonly PublishedFile[], out: string): Promise<void> {
  const wanted: PublishedFile[] = [];
  for (const file of files)
    if ((await sizeOf(join(out, file.path))) === undefined) wanted.push(file);
  const known = wanted.flatMap(({ bytes }) => bytes ?? []);
  const total = formatBytes(known.reduce((sum, bytes) => sum + bytes, 0));
  const unknown = wanted.length - known.length;
  const sizes = [
    ...(known.length > 0 ? [`${total} in ${known.length}`] : []),
    ...(unknown > 0 ? [`${unknown} of a size that only the server knows`] : []),
  ];
  const there = files.length - wanted.length;
  note(`${files.length} files for ${out}: ${[...sizes, `${there} there already`].join(", ")}`);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

async function pullFile(file: PublishedFile, work: Work): Promise<Pulled> {
  const { path, bytes, sha256 } = file;
  const { out, progress, signal } = work;
  const target = join(out, path);
  const verified = sha256 !== undefined;
  const say = (text: string) => {
    progress.clear();
    note(text);
  };
  const size = await sizeOf(target);
  if (size !== undefined) {
    await checkPresent(target, size, file, signal);
    say(`${path}: there already`);
    return { path, status: "present", bytes: size, verified };
  }
  const { dim } = coloursFor(process.stderr);
  say(`${path} ${dim(`(${file.licence})`)}`);
  try {
    const result = await transfer({
      source: httpSource(file.url),
      target,
      bytes,
      sha256,
      onProgress: (done, total) => progress.update(path, done, total ?? bytes ?? done),
      onRetry: (reason, delay) =>
        say(`${path}: ${reason}; again in ${formatSeconds(delay / 1000)}`),
      signal,
    });
    const verdict = verified ? "checksum as expected" : `sha256 ${result.sha256}`;
    say(`${path}: ${formatBytes(result.bytes)}, ${verdict}`);
    return { path, status: "downloaded", ...result, verified };
  } catch (error) {
    if (!file.optional || !isMissing(error)) throw diskError(error, target);
    say(`${path}: not published there; a conversion does not need it`);
    return { path, status: "absent", verified: false };
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof TinyGptvError && error.subject === "404";
}

/** A file that is there is trusted as far as it can be checked. */
async function checkPresent(
  target: string,
  size: number,
  { bytes, sha256 }: PublishedFile,
  signal: AbortSignal,
): Promise<void> {
  const advice = "remove it to download it again";
  if (bytes !== undefined && size !== bytes) {
    throw new TinyGptvError("network", `${target}: want ${bytes} bytes, got ${size}; ${advice}`);
  }
  if (sha256 === undefined) return;
  const sum = await sha256Of(target, signal);
  if (sum === sha256) return;
  throw new TinyGptvError("network", `${target}: sha256: want ${sha256}, got ${sum}; ${advice}`);
}

/** Notes a computed checksum beside the files, for `sha256sum --check` and for mirrors. */
async function record(folder: string, { path, sha256 }: Pulled): Promise<void> {
  if (sha256 === undefined) return;
  const list = join(folder, checksumsName);
  const text = await readFile(list, "utf8").catch(() => "");
  await writeFile(list, formatChecksums(parseChecksums(text, list).set(path, sha256)));
}
