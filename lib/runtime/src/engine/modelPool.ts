/**
 * The models of one engine process: loaded when first asked for, unloaded when
 * idle for long or when another needs their memory.
 */
import { TinyGptvError, isAskedFor, splitId, throwIfAborted } from "@tinygptv/protocol";
import type { ModelInfo } from "@tinygptv/protocol";
import type { Model } from "../model.ts";
import type { MemoryOptions } from "./memoryPlan.ts";
import { withAdapter } from "./modelInfo.ts";
import type { ListedAdapter } from "./adapters.ts";
import type { Counters, HostOptions } from "./messages.ts";

/** How models come into the process; tests give their own. */
export interface ModelOpener {
  /** The levels in a converted folder, read from its manifest without loading anything. */
  list(folder: string, memory: MemoryOptions): Promise<ModelInfo[]>;
  /** The adapters beside a model as they are now; there are none unless given. */
  adapters?(folder: string): Promise<readonly ListedAdapter[]>;
  open(
    folder: string,
    options: MemoryOptions &
      Partial<Pick<HostOptions, "provider" | "precision">> & { level: string; maxBatch: number },
  ): Promise<Model>;
  /** Of what each level says it needs, what all of a process share; nothing unless given. */
  readonly sharedBytes?: number;
}

export interface ModelLease {
  readonly model: Model;
  /** What of it is asked for. */
  readonly adapter?: string | undefined;
  /** Must be called once; until then the model stays loaded. */
  release(): void;
}

export interface ModelPool {
  /** All levels, and each with every adapter that is beside it now. */
  list(): Promise<ModelInfo[]>;
  loaded(): ModelInfo[];
  /**
   * Waits, in order of arrival, until the model is loaded. One that could not
   * be opened is not tried again for a while: who asks meanwhile hears the same at once.
   * @throws TinyGptvError `model` for an unknown id or adapter, `memory` for one that never fits the memory limit;
   *   `aborted`; what opening it threw.
   */
  acquire(id: string | undefined, signal?: AbortSignal): Promise<ModelLease>;
  /** Totals over all models since the start. */
  counters(): Counters;
  close(): Promise<void>;
}

export interface PoolOptions
  extends
    Omit<HostOptions, "heartbeat" | "provider" | "precision">,
    Partial<Pick<HostOptions, "provider" | "precision">> {
  /** Milliseconds, on a clock that never goes back. */
  now?: () => number;
}

/** Milliseconds before a model that could not be opened is tried again: opening a large one takes long and stops the others. */
const retryAfter = 30_000;

interface Slot {
  readonly folder: string;
  readonly listed: ModelInfo;
  /** Set from the decision to load until the unloading is done: its memory is taken. */
  opening?: Promise<Model>;
  loaded?: Model;
  /** What opening it threw, and when. */
  failure?: { error: unknown; at: number };
  users: number;
  /** Bytes of the adapters that it was asked for with. */
  readonly beside: Map<string, number>;
  idle?: ReturnType<typeof setTimeout>;
}

/** @throws TinyGptvError `model` where a folder is none, or two have a level of the same id. */
export async function createModelPool(
  opener: ModelOpener,
  {
    models: folders,
    maxBatch,
    memoryLimit = Infinity,
    cacheBytes,
    idleUnload,
    provider,
    precision,
    now = () => performance.now(),
  }: PoolOptions,
): Promise<ModelPool> {
  const { sharedBytes = 0 } = opener;
  // Least recently used first: a slot moves to the end when it is acquired.
  const slots = new Map<string, Slot>();
  for (const folder of folders) {
    for (const listed of await opener.list(folder, { cacheBytes })) {
      const twin = slots.get(listed.id);
      if (twin)
        throw new TinyGptvError("model", `${listed.id}: is in ${twin.folder} and in ${folder}`);
      slots.set(listed.id, { folder, listed, users: 0, beside: new Map() });
    }
  }
  const listed = [...slots.values()];
  const past: Counters = noCounters();
  let line: Promise<unknown> = Promise.resolve();
  let wake: (() => void) | undefined;

  /** Loading and unloading happen one after the other, in order of arrival: nobody is overtaken for ever. */
  function inLine<T>(work: () => Promise<T>): Promise<T> {
    const result = line.then(work);
    line = result.catch(() => {});
    return result;
  }

  const infoOf = ({ loaded, listed: info }: Slot) => loaded?.info ?? { ...info, loaded: false };

  async function list(): Promise<ModelInfo[]> {
    const byFolder = Map.groupBy(listed, ({ folder }) => folder);
    const infos = Array.from(byFolder, async ([folder, own]) => {
      const adapters = (await opener.adapters?.(folder)) ?? [];
      const levels = own.map(infoOf);
      return [
        ...levels,
        ...levels.flatMap((level) => adapters.map((adapter) => withAdapter(level, adapter))),
      ];
    });
    return (await Promise.all(infos)).flat();
  }

  async function find(
    id: string | undefined,
  ): Promise<{ slot: Slot; adapter: ListedAdapter | undefined }> {
    const { model, adapter: name } = id === undefined ? { model: id } : splitId(id);
    const slot = listed.find(({ listed: info }) => isAskedFor(info, model));
    const adapters = (slot && name !== undefined && (await opener.adapters?.(slot.folder))) || [];
    const adapter = adapters.find((one) => one.name === name);
    if (slot && (name === undefined || adapter)) return { slot, adapter };
    const known = (await list()).map((info) => info.id).join(", ");
    throw new TinyGptvError("model", `model: want one of ${known}, got ${id}`, { subject: id });
  }

  async function acquire(id: string | undefined, signal?: AbortSignal): Promise<ModelLease> {
    const { slot, adapter } = await find(id);
    throwIfFailed(slot);
    const { opening } = await inLine(() => reserve(slot, adapter, signal));
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      slot.users -= 1;
      if (slot.users === 0) watchIdle(slot);
      wake?.();
    };
    try {
      return { model: await opening, adapter: adapter?.name, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Makes room for a model and starts to load it, waiting for others to become free where it must. */
  async function reserve(
    slot: Slot,
    adapter: ListedAdapter | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ opening: Promise<Model> }> {
    const { id } = slot.listed;
    const beside = new Map(slot.beside);
    if (adapter) beside.set(adapter.name, adapter.bytes);
    const memoryBytes = bytesOf({ ...slot, beside });
    if (memoryBytes > memoryLimit) {
      throw new TinyGptvError(
        "memory",
        `${id}: needs ${memoryBytes} bytes, the memory limit is ${memoryLimit}`,
      );
    }
    const more = () => memoryBytes - (slot.opening ? bytesOf(slot) : sharedBytes);
    while (more() > 0 && memoryInUse() + more() > memoryLimit) {
      throwIfAborted(signal);
      const unused = [...slots.values()].find(
        (other) => other !== slot && other.opening !== undefined && other.users === 0,
      );
      if (unused) await unload(unused);
      else await nextRelease(signal);
    }
    throwIfAborted(signal);
    throwIfFailed(slot); // while this call stood in line
    slots.delete(id);
    slots.set(id, slot);
    if (adapter) slot.beside.set(adapter.name, adapter.bytes);
    clearTimeout(slot.idle);
    slot.users += 1;
    slot.opening ??= open(slot);
    slot.opening.catch(() => {}); // it may fail before its first user gets to wait for it
    return { opening: slot.opening };
  }

  async function open(slot: Slot): Promise<Model> {
    delete slot.failure;
    try {
      slot.loaded = await opener.open(slot.folder, {
        level: slot.listed.level,
        maxBatch,
        cacheBytes,
        provider,
        precision,
      });
      return slot.loaded;
    } catch (error) {
      delete slot.opening;
      slot.failure = { error, at: now() };
      throw error;
    }
  }

  function throwIfFailed({ failure }: Slot): void {
    if (failure && now() - failure.at < retryAfter) throw failure.error;
  }

  function memoryInUse(): number {
    const taken = listed.filter((slot) => slot.opening !== undefined);
    return taken.reduce((sum, slot) => sum + bytesOf(slot) - sharedBytes, sharedBytes);
  }

  function bytesOf({ listed: { memoryBytes }, beside }: Slot): number {
    return [...beside.values()].reduce((sum, bytes) => sum + bytes, memoryBytes);
  }

  function nextRelease(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const onWake = () => {
        signal?.removeEventListener("abort", onWake);
        resolve();
      };
      signal?.addEventListener("abort", onWake);
      wake = onWake;
    });
  }

  function watchIdle(slot: Slot): void {
    clearTimeout(slot.idle);
    if (idleUnload === undefined) return;
    slot.idle = setTimeout(() => {
      void inLine(async () => {
        if (slot.users === 0) await unload(slot);
      });
    }, idleUnload);
  }

  async function unload(slot: Slot): Promise<void> {
    clearTimeout(slot.idle);
    const { loaded } = slot;
    if (!loaded) return;
    addCounters(past, loaded.counters());
    delete slot.loaded;
    slot.beside.clear();
    await loaded.close();
    delete slot.opening;
  }

  return {
    list,
    loaded: () => listed.flatMap(({ loaded }) => (loaded ? [loaded.info] : [])),
    acquire,
    counters() {
      const total = { ...past, batchSize: 0 };
      for (const slot of listed) if (slot.loaded) addCounters(total, slot.loaded.counters());
      return total;
    },
    async close() {
      await inLine(async () => {
        for (const slot of listed) await unload(slot);
      });
    },
  };
}

export function noCounters(): Counters {
  return {
    imageCacheHits: 0,
    imageCacheMisses: 0,
    prefixCachedTokens: 0,
    generatedTokens: 0,
    batchSize: 0,
  };
}

/** Adds to `total` in place; `batchSize` is a gauge, its sum is the rows running now. */
export function addCounters(total: Counters, more: Counters): void {
  total.imageCacheHits += more.imageCacheHits;
  total.imageCacheMisses += more.imageCacheMisses;
  total.prefixCachedTokens += more.prefixCachedTokens;
  total.generatedTokens += more.generatedTokens;
  total.batchSize += more.batchSize;
}
