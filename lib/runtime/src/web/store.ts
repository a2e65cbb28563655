/**
 * Files that a page keeps in its browser (the origin's private file system),
 * named by the sha256 of what is in them. A download that was cut off goes on
 * where it ended, in this visit or a later one.
 */
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { sha256Of } from "./digest.ts";

/** A file as a manifest lists it, and where it comes from. */
export interface RemoteFile {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface KeepOptions {
  signal?: AbortSignal | undefined;
  /** Hears how much of the file is here, as it comes; less than before where it begins anew. */
  onBytes?: ((bytes: number) => void) | undefined;
}

export interface FileStore {
  /** How much of a file is kept, up to all of it. */
  keptBytes(file: RemoteFile): Promise<number>;
  /**
   * Downloads what is missing of a file.
   * @throws TinyGptvError "network", "io" (no room), "model" (other bytes than the manifest says), "aborted"
   */
  keep(file: RemoteFile, options?: KeepOptions): Promise<void>;
  /** A kept file, checked; its bytes are read when they are asked for. @throws TinyGptvError "io", "model" */
  open(file: RemoteFile): Promise<Blob>;
  remove(file: RemoteFile): Promise<void>;
  /** Keeps a text under a name of its own. */
  keepText(name: string, text: string): Promise<void>;
  readText(name: string): Promise<string | undefined>;
}

/** @throws TinyGptvError "engine" where pages may keep no files */
export async function openStore(): Promise<FileStore> {
  if (!isSecureContext)
    throw new TinyGptvError(
      "engine",
      `${location.origin}: want a page that is served by https or from localhost to keep a model in, got one by plain http`,
    );
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("tinygptv", { create: true });

  async function sizeOf(name: string): Promise<number> {
    const file = await folder.getFileHandle(name).catch(() => undefined);
    return file === undefined ? 0 : (await file.getFile()).size;
  }

  const fileNamed = async (name: string): Promise<File> =>
    (await folder.getFileHandle(name)).getFile();

  async function remove({ sha256 }: Pick<RemoteFile, "sha256">): Promise<void> {
    await folder.removeEntry(sha256).catch((error: unknown) => {
      if (!isNamed(error, "NotFoundError")) throw error;
    });
  }

  /** One page of the origin at a time. */
  async function download(file: RemoteFile, { signal, onBytes }: KeepOptions): Promise<void> {
    const handle = await folder.getFileHandle(file.sha256, { create: true });
    const out = await handle.createSyncAccessHandle();
    try {
      let at = out.getSize();
      onBytes?.(at);
      const response = await request(file, at, signal);
      if (response.status !== 206) out.truncate((at = 0));
      // Not for await: Safari's streams know no iteration.
      const reader = response.body!.getReader();
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throwIfAborted(signal);
          throw new TinyGptvError(
            "network",
            `${file.url}: the connection ended after ${at} of ${file.bytes} bytes`,
            { cause },
          );
        });
        if (done) break;
        at += write(out, value, at, file);
        onBytes?.(at);
      }
    } finally {
      out.flush();
      out.close();
    }
  }

  /** Downloads what is missing and checks the whole; what was there may be no beginning of it. */
  async function complete(file: RemoteFile, options: KeepOptions): Promise<void> {
    const began = await sizeOf(file.sha256);
    if (began === file.bytes) return options.onBytes?.(began);
    await download(file, options);
    try {
      await check(await fileNamed(file.sha256), file);
    } catch (error) {
      await remove(file);
      if (began === 0) throw error;
      await complete(file, options);
    }
  }

  return {
    keptBytes: async ({ sha256, bytes }) => Math.min(await sizeOf(sha256), bytes),
    async keep(file, options = {}) {
      const { signal } = options;
      throwIfAborted(signal);
      await navigator.locks
        .request(`tinygptv ${file.sha256}`, { ...(signal && { signal }) }, () =>
          complete(file, options),
        )
        .catch((error: unknown) => {
          throwIfAborted(signal);
          throw error;
        });
    },
    async open(file) {
      const kept = await fileNamed(file.sha256);
      await check(kept, file).catch(async (error: unknown) => {
        await remove(file);
        throw error;
      });
      return kept;
    },
    remove,
    async keepText(name, text) {
      const handle = await folder.getFileHandle(name, { create: true });
      const out = await handle.createSyncAccessHandle();
      out.truncate(0);
      out.write(new TextEncoder().encode(text));
      out.close();
    },
    async readText(name) {
      const size = await sizeOf(name);
      return size === 0 ? undefined : (await fileNamed(name)).text();
    },
  };
}

/** @param from bytes that are here already */
async function request(
  { url, bytes }: RemoteFile,
  from: number,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const resumes = from > 0 && from < bytes;
  const response = await fetch(url, {
    ...(signal && { signal }),
    headers: resumes ? { range: `bytes=${from}-` } : {},
  }).catch((cause: unknown) => {
    throwIfAborted(signal);
    throw new TinyGptvError("network", `${url}: want ${bytes} bytes, got no answer`, { cause });
  });
  if (response.ok) return response;
  throw new TinyGptvError("network", `${url}: want ${bytes} bytes, got status ${response.status}`);
}

function write(
  out: FileSystemSyncAccessHandle,
  chunk: Uint8Array<ArrayBuffer>,
  at: number,
  { url, bytes }: RemoteFile,
): number {
  if (at + chunk.length > bytes)
    throw new TinyGptvError("model", `${url}: want ${bytes} bytes, got more`);
  try {
    return out.write(chunk, { at });
  } catch (cause) {
    if (!isNamed(cause, "QuotaExceededError")) throw cause;
    throw new TinyGptvError(
      "io",
      `${url}: want room for ${bytes} bytes in this browser, got less; remove a level or free disk space`,
      { cause },
    );
  }
}

/** @throws TinyGptvError "model" where bytes are not what the manifest says */
async function check(content: Blob, { url, bytes, sha256 }: RemoteFile): Promise<undefined> {
  if (content.size !== bytes)
    throw new TinyGptvError("model", `${url}: want ${bytes} bytes, got ${content.size}`);
  const found = await sha256Of(content);
  if (found !== sha256)
    throw new TinyGptvError("model", `${url}: want sha256 ${sha256}, got ${found}`);
}

const isNamed = (error: unknown, name: string): boolean =>
  error instanceof DOMException && error.name === name;
