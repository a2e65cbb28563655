import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { throwIfAborted } from "@tinygptv/protocol";
import {
  assertCondition,
  assertKey,
  assertStart,
  getArguments,
  listArguments,
  putArguments,
} from "./arguments.ts";
import { chunks, streamOf } from "./chunks.ts";
import { diskError, onDisk } from "./diskError.ts";
import { withFolderLock } from "./folderLock.ts";
import { encodeHeader, headerBytes, openObject } from "./objectFile.ts";
import { removeAbandoned, syncFolder, upload } from "./fileUpload.ts";
import type { PutOptions, Store, StoredEntry, StoredObject } from "./store.ts";
import { walkKeys } from "./walkKeys.ts";

const chunkBytes = 256 * 1024;

/**
 * A store in a folder. An object's file is named `<key>=`, which no folder of
 * keys can be, so `a` and `a/b` live side by side; `=new` and `=lock` hold
 * uploads and the lock. Writes go to a new file that is synced and then
 * renamed; renames and deletions of all processes that use the folder are
 * ordered by its lock, so conditional ones are atomic.
 */
export function fileStore(folder: string): Store {
  const root = resolve(folder);
  const uploads = join(root, "=new");
  const pathOf = (key: string) => join(root, `${key}=`);

  // Within this process commits take turns here, cheaper than polling the lock.
  let turn: Promise<unknown> = Promise.resolve();
  function commit(action: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    const mine = turn.then(() => withFolderLock(join(root, "=lock"), action, { signal }));
    turn = mine.catch(() => {});
    return mine;
  }

  async function stored(key: string): Promise<StoredObject | undefined> {
    const object = await openObject(key, pathOf(key));
    await object?.handle.close();
    return (
      object && {
        key,
        size: object.size,
        etag: object.etag,
        modified: object.modified,
        contentType: object.contentType,
      }
    );
  }

  async function assertStillMeant(key: string, options: PutOptions): Promise<void> {
    if (options.ifMatch !== undefined || options.ifNoneMatch)
      assertCondition(key, options, (await stored(key))?.etag);
  }

  // At every upload: the folder may have been removed, or mounted anew, since the last one.
  let tidied = false;
  async function prepare(): Promise<void> {
    const isNew = (await mkdir(uploads, { recursive: true })) !== undefined;
    if (tidied && !isNew) return;
    await removeAbandoned(uploads);
    tidied = true;
  }

  return {
    async put(key, body, options = {}) {
      const contentType = putArguments(key, options);
      const { signal } = options;
      await onDisk("write", key, prepare);
      await onDisk("write", key, () => assertStillMeant(key, options));
      const etag = randomUUID();
      const path = join(uploads, etag);
      const target = pathOf(key);
      try {
        const size = await upload(
          key,
          path,
          encodeHeader({ etag, contentType }),
          chunks(body, signal),
        );
        const replace = async () => {
          await assertStillMeant(key, options);
          await mkdir(dirname(target), { recursive: true });
          await rename(path, target);
          await syncFolder(dirname(target));
        };
        await onDisk("write", key, () => commit(replace, signal));
        return { etag, size };
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },

    async get(key, options = {}) {
      const start = getArguments(key, options);
      throwIfAborted(options.signal);
      const object = await onDisk("read", key, () => openObject(key, pathOf(key)));
      if (!object) return undefined;
      const { handle, ...header } = object;
      const close = () => handle.close();
      try {
        assertStart(key, start, object.size);
      } catch (error) {
        await close();
        throw error;
      }
      let position = headerBytes + start;
      const next = () =>
        onDisk("read", key, async () => {
          const buffer = new Uint8Array(chunkBytes);
          const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position);
          position += bytesRead;
          return bytesRead > 0 ? buffer.subarray(0, bytesRead) : undefined;
        });
      return { key, ...header, body: streamOf({ next, close }, options.signal) };
    },

    async head(key, options = {}) {
      assertKey(key);
      throwIfAborted(options.signal);
      return onDisk("read", key, () => stored(key));
    },

    async list(options = {}) {
      const { prefix, limit } = listArguments(options);
      const entries: StoredEntry[] = [];
      try {
        for await (const key of walkKeys(root, prefix, options.cursor ?? "")) {
          throwIfAborted(options.signal);
          if (entries.length === limit) return { entries, cursor: entries.at(-1)?.key };
          const object = await stored(key);
          if (object)
            entries.push({ key, size: object.size, etag: object.etag, modified: object.modified });
        }
      } catch (error) {
        throw diskError("list", prefix, error);
      }
      return { entries, cursor: undefined };
    },

    async delete(key, options = {}) {
      assertKey(key);
      const remove = async () => {
        const object = await stored(key);
        if (!object) return;
        assertCondition(key, options, object.etag);
        await rm(pathOf(key), { force: true });
        await removeEmptyFolders(root, dirname(pathOf(key)));
      };
      throwIfAborted(options.signal);
      await onDisk("delete", key, () => commit(remove, options.signal));
    },

    async check({ signal } = {}) {
      throwIfAborted(signal);
      const path = join(uploads, randomUUID());
      await onDisk("write", "", async () => {
        await prepare();
        // Of some size: a full disk still takes names.
        await writeFile(path, new Uint8Array(4096));
        await rm(path);
      });
    },
  };
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let path = folder; path !== root; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return; // not empty
    }
  }
}
