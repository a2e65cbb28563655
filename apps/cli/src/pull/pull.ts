import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { usageError } from "../terminal/failure.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { coloursFor, formatBytes, formatSeconds, note, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import type { Progress } from "../terminal/progress.ts";
import { checksumsName, formatChecksums, parseChecksums, sha256OfFile } from "./checksums.ts";
import type { Checksums } from "./checksums.ts";
import { download } from "./download.ts";
import { atMirror, publishedFiles } from "./publishedFiles.ts";
import type { PublishedFile, Stage } from "./publishedFiles.ts";

export interface PullFlags {
  stage: Stage;
  out: string;
  baseUrl?: string;
  sha256?: Record<string, string>;
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

export async function pull(flags: PullFlags): Promise<void> {
  const published = publishedFiles(flags.stage);
  const files = flags.baseUrl === undefined ? published : atMirror(published, flags.baseUrl);
  const expected = await expectedChecksums(files, flags);
  const progress = createProgress();
  const results = await interruptible(async (signal) => {
    const done: Pulled[] = [];
    for (const file of files) {
      const result = await pullFile(file, expected.get(file.path), { flags, progress, signal });
      await record(flags.out, result);
      done.push(result);
    }
    return done;
  }).finally(progress.clear);
  if (flags.json) printJson(results);
  else note(`Convert them: tinygptv convert --from ${flags.out} --out models/tinygpt-v`);
}

async function pullFile(
  file: PublishedFile,
  sha256: string | undefined,
  { flags, progress, signal }: { flags: PullFlags; progress: Progress; signal: AbortSignal },
): Promise<Pulled> {
  const { path, url } = file;
  const target = join(flags.out, path);
  const say = (text: string) => {
    progress.clear();
    note(text);
  };
  const found = await stat(target).catch(() => undefined);
  if (found) {
    await checkPresent(target, found.size, file, sha256);
    say(`${path}: there already`);
    return { path, status: "present", bytes: found.size, verified: sha256 !== undefined };
  }
  const { dim } = coloursFor(process.stderr);
  say(`${path} ${dim(`(${file.licence})`)}`);
  try {
    const result = await download({
      url,
      target,
      expectedBytes: file.bytes,
      sha256,
      onProgress: (done, total) => progress.update(path, done, total ?? file.bytes ?? done),
      onRetry: (reason, delay) =>
        say(`${path}: ${reason}; again in ${formatSeconds(delay / 1000)}`),
      signal,
    });
    const verdict = sha256 === undefined ? `sha256 ${result.sha256}` : "checksum as expected";
    say(`${path}: ${formatBytes(result.bytes)}, ${verdict}`);
    return { path, status: "downloaded", ...result, verified: sha256 !== undefined };
  } catch (error) {
    if (!file.optional || !isMissing(error)) throw error;
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
  { bytes }: PublishedFile,
  sha256: string | undefined,
): Promise<void> {
  const advice = "remove it to download it again";
  if (bytes !== undefined && size !== bytes) {
    throw new TinyGptvError("network", `${target}: want ${bytes} bytes, got ${size}; ${advice}`);
  }
  if (sha256 === undefined) return;
  const sum = await sha256OfFile(target);
  if (sum === sha256) return;
  throw new TinyGptvError("network", `${target}: sha256: want ${sha256}, got ${sum}; ${advice}`);
}

/** What the caller says, and what a mirror's list says of files the caller says nothing of. */
async function expectedChecksums(
  files: readonly PublishedFile[],
  { baseUrl, sha256 = {} }: PullFlags,
): Promise<Checksums> {
  const paths = files.map((file) => file.path);
  const stranger = Object.keys(sha256).find((path) => !paths.includes(path));
  if (stranger !== undefined) {
    throw usageError(`sha256: want one of ${paths.join(", ")}, got ${stranger}`);
  }
  const served = baseUrl === undefined ? new Map<string, string>() : await servedChecksums(baseUrl);
  return new Map([...served, ...Object.entries(sha256)]);
}

async function servedChecksums(baseUrl: string): Promise<Checksums> {
  const [{ url }] = atMirror([{ path: checksumsName, url: "", licence: "" }], baseUrl) as [
    PublishedFile,
  ];
  const response = await fetch(url).catch((cause: unknown) => {
    const reason =
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new TinyGptvError("network", `${url}: want a mirror, got ${reason}`, { cause });
  });
  if (response.status === 404) {
    await response.body?.cancel();
    return new Map();
  }
  if (!response.ok) {
    throw new TinyGptvError("network", `${url}: want checksums, got HTTP ${response.status}`);
  }
  return parseChecksums(await response.text(), url);
}

/** Notes a computed checksum beside the files, for `sha256sum --check` and for mirrors. */
async function record(folder: string, { path, sha256 }: Pulled): Promise<void> {
  if (sha256 === undefined) return;
  const list = join(folder, checksumsName);
  const text = await readFile(list, "utf8").catch(() => "");
  await writeFile(list, formatChecksums(parseChecksums(text, list).set(path, sha256)));
}
