/** What keys keep, in each of the stores. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBlobServer } from "../test/blobServer.ts";
import { createHoldings } from "./holdings.ts";
import { createPictureStore } from "./images/pictureStore.ts";
import { createNotebookStore, notebookId } from "./notebookStore.ts";
import { blobStore, fileStore, memoryStore } from "./store/index.ts";
import type { Store } from "./store/index.ts";
import { createSweep } from "./sweep.ts";
import { pino } from "pino";

const stores: Record<string, () => Promise<{ store: Store; close(): Promise<void> }>> = {
  memory: async () => ({ store: memoryStore({ maxBytes: 1e6 }), close: async () => {} }),
  file: async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdings-"));
    return { store: fileStore(folder), close: () => rm(folder, { recursive: true }) };
  },
  blob: async () => {
    const { token, close } = await startBlobServer();
    return { store: blobStore({ token }), close };
  },
};

const day = 24 * 60 * 60 * 1000;
const { signal } = new AbortController();
const bytes = (text: string) => Buffer.from(text);
const limits = { storeBytes: 30, storeBytesPerKey: 20 };

describe.each(Object.keys(stores))("in the %s store", (name) => {
  let store: Store;
  let close: () => Promise<void>;
  beforeEach(async () => ({ store, close } = await stores[name]!()));
  afterEach(() => close());

  const open = (more: Partial<Parameters<typeof createHoldings>[1]> = {}) => {
    const holdings = createHoldings(store, { ...limits, ...more });
    const pictures = createPictureStore(store, holdings);
    const notebooks = createNotebookStore(store, holdings);
    const sweep = createSweep({ holdings, pictures, notebooks, log: pino({ enabled: false }) });
    return { pictures, notebooks, sweep };
  };
  const keys = async () => (await store.list()).entries.map(({ key }) => key);

  test("a picture is its key's: others neither learn of it nor delete it", async () => {
    const { pictures } = open();
    const put = (owner: string) => pictures.put(owner, bytes("cat"), "image/png", signal);
    const { id, created } = await put("anna");
    expect([created, (await put("anna")).created]).toEqual([true, false]);
    expect(await pictures.find("ben", id, signal)).toBeUndefined();
    expect(await pictures.remove("ben", id, signal)).toBe(false);
    // To ben it is new, as if there were none.
    expect((await put("ben")).created).toBe(true);
    expect((await keys()).filter((key) => /^images\/[^/]+$/.test(key))).toHaveLength(1);

    expect(await pictures.remove("anna", id, signal)).toBe(true);
    expect(await pictures.find("anna", id, signal)).toBeUndefined();
    const found = await pictures.find("ben", id, signal);
    expect(Buffer.from(await found!.read())).toEqual(bytes("cat"));
    expect(await pictures.remove("ben", id, signal)).toBe(true);
    expect(await keys()).toEqual([]);
  });

  test("a notebook is read by all and deleted by its key", async () => {
    const { notebooks } = open();
    const id = notebookId();
    await notebooks.put("anna", id, bytes("{}"), signal);
    expect(await notebooks.remove("ben", id, signal)).toBe(false);
    await (await notebooks.get(id, signal))!.body.cancel();
    expect(await notebooks.remove("anna", id, signal)).toBe(true);
    expect(await notebooks.get(id, signal)).toBeUndefined();
    expect(await keys()).toEqual([]);
  });

  test("each key has its quota, and all have one together", async () => {
    const { pictures } = open();
    const put = (owner: string, text: string) =>
      pictures.put(owner, bytes(text), "image/png", signal);
    const { id } = await put("anna", "a".repeat(15));
    await expect(put("anna", "b".repeat(6))).rejects.toMatchObject({
      code: "storage_full",
      message: expect.stringMatching(/at most 20 bytes kept by one key, got 15 and 6 more/),
    });
    await put("anna", "a".repeat(15)); // there already: it costs nothing
    await put("ben", "c".repeat(12));
    await expect(put("carl", "d".repeat(4))).rejects.toMatchObject({ code: "storage_full" });
    await pictures.remove("anna", id, signal);
    await put("anna", "b".repeat(6));
    // A server that starts counts what it finds.
    await expect(
      open().pictures.put("anna", bytes("e".repeat(15)), "image/png", signal),
    ).rejects.toMatchObject({ code: "storage_full" });
  });
});

describe("expiry", () => {
  test("what is over is not answered, and swept", async () => {
    const held = memoryStore({ maxBytes: 1e6 });
    let age = 0;
    /** The same store some days later. */
    const store: Store = {
      ...held,
      head: async (key, options) => older(await held.head(key, options)),
      get: async (key, options) => older(await held.get(key, options)),
      list: async (options) => {
        const page = await held.list(options);
        return { ...page, entries: page.entries.map((entry) => older(entry)!) };
      },
    };
    const older = <T extends { modified: Date }>(object: T | undefined) =>
      object && { ...object, modified: new Date(object.modified.getTime() - age * day) };
    const holdings = createHoldings(store, { ...limits, imageDays: 30, notebookDays: 90 });
    const pictures = createPictureStore(store, holdings);
    const notebooks = createNotebookStore(store, holdings);
    const notebook = notebookId();
    const { id } = await pictures.put("anna", bytes("cat"), "image/png", signal);
    await notebooks.put("anna", notebook, bytes("{}"), signal);
    const there = async () => [
      (await pictures.find("anna", id, signal)) !== undefined,
      (await notebooks.get(notebook, signal)) !== undefined,
    ];
    const sweep = () =>
      createSweep({ holdings, pictures, notebooks, log: pino({ enabled: false }) })();
    age = 29;
    expect(await there()).toEqual([true, true]);
    sweep();
    age = 31;
    expect(await there()).toEqual([false, true]);
    sweep();
    await expect.poll(async () => (await held.list()).entries.length).toBe(2);
    age = 91;
    expect(await there()).toEqual([false, false]);
    sweep();
    await expect.poll(async () => (await held.list()).entries.length).toBe(0);
  });
});
