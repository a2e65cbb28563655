/**
 * What each caller keeps in the store: an entry for every picture and notebook,
 * which names its owner and its size. So that a listing alone tells how much is
 * kept, the size is in the key: `holdings/<owner>/<id>.<bytes>`, an empty object.
 */
import { HttpError } from "./errors.ts";
import { listAll } from "./store/store.ts";
import type { Store } from "./store/store.ts";

export interface HoldingLimits {
  /** Bytes that all keep together; what several keep counts for each. */
  readonly storeBytes: number;
  readonly storeBytesPerKey: number;
  /** Days after which what is kept is forgotten; undefined: never. */
  readonly imageDays?: number | undefined;
  readonly notebookDays?: number | undefined;
}

/** Something kept: a picture (`img_…`) or a notebook (`nb_…`). */
export interface Holding {
  readonly owner: string;
  readonly id: string;
  readonly bytes: number;
}

export interface Holdings {
  /** Whether the owner keeps it, and its time is not over. */
  has(holding: Holding, signal?: AbortSignal): Promise<boolean>;
  /**
   * Writes an entry, and before it by `write` what it stands for; anew where there is one.
   * @throws HttpError storage_full where a quota does not allow it
   */
  add(holding: Holding, write: () => Promise<void>, signal?: AbortSignal): Promise<void>;
  /** With `ifMatch` only the entry of this etag; "conflict" where there is another. */
  remove(holding: Holding, options?: { ifMatch?: string; signal?: AbortSignal }): Promise<void>;
  /** Whether the time of something kept since then is over. */
  isOver(id: string, since: Date): boolean;
  /** Entries whose time is over. */
  expired(): AsyncIterable<Holding & { etag: string }>;
}

const root = "holdings/";
const keyOf = ({ owner, id, bytes }: Holding) => `${root}${owner}/${id}.${bytes}`;
const keyPattern = /^holdings\/([^/]+)\/([^/.]+)\.(\d+)$/;
const dayMs = 24 * 60 * 60 * 1000;
/** Other servers of the same store change it, too: what is known of it is read again after this. */
const freshMs = 60_000;

export function createHoldings(store: Store, limits: HoldingLimits): Holdings {
  let known: { at: number; usage: Promise<Map<string, number>> } | undefined;

  async function* entries() {
    for await (const { key, modified, etag } of listAll(store, root)) {
      const [, owner, id, bytes] = keyPattern.exec(key) ?? [];
      if (owner && id && bytes) yield { owner, id, bytes: Number(bytes), modified, etag };
    }
  }

  const readUsage = async () => {
    const usage = new Map<string, number>();
    for await (const { owner, bytes } of entries())
      usage.set(owner, (usage.get(owner) ?? 0) + bytes);
    return usage;
  };

  const usageNow = () => {
    if (!known || Date.now() - known.at > freshMs) {
      const usage = readUsage();
      usage.catch(() => (known = undefined));
      known = { at: Date.now(), usage };
    }
    return known.usage;
  };

  const isOver = (id: string, since: Date) => {
    const days = id.startsWith("img_") ? limits.imageDays : limits.notebookDays;
    return days !== undefined && Date.now() - since.getTime() > days * dayMs;
  };

  return {
    async has(holding, signal) {
      const entry = await store.head(keyOf(holding), { signal });
      return entry !== undefined && !isOver(holding.id, entry.modified);
    },

    async add(holding, write, signal) {
      const { owner, bytes } = holding;
      const usage = await usageNow();
      const count = (more: number) => usage.set(owner, (usage.get(owner) ?? 0) + more);
      const isNew = (await store.head(keyOf(holding), { signal })) === undefined;
      if (isNew) {
        assertQuota(usage, holding, limits);
        count(bytes);
      }
      try {
        await write();
        await store.put(keyOf(holding), new Uint8Array(), { signal });
      } catch (error) {
        if (isNew) count(-bytes);
        throw error;
      }
    },

    async remove(holding, options = {}) {
      const { owner, bytes } = holding;
      await store.delete(keyOf(holding), options);
      const usage = await usageNow();
      usage.set(owner, Math.max(0, (usage.get(owner) ?? 0) - bytes));
    },

    isOver,

    async *expired() {
      for await (const { modified, ...entry } of entries())
        if (isOver(entry.id, modified)) yield entry;
    },
  };
}

function assertQuota(
  usage: ReadonlyMap<string, number>,
  { owner, bytes }: Holding,
  { storeBytes, storeBytesPerKey }: HoldingLimits,
): void {
  const mine = usage.get(owner) ?? 0;
  if (mine + bytes > storeBytesPerKey)
    throw new HttpError(
      "storage_full",
      `storage: want at most ${storeBytesPerKey} bytes kept by one key, got ${mine} and ${bytes} more; delete some first`,
    );
  const all = [...usage.values()].reduce((sum, one) => sum + one, 0);
  if (all + bytes > storeBytes)
    throw new HttpError("storage_full", `storage: its ${storeBytes} bytes are used up`);
}
