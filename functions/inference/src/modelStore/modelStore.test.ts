import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readManifest } from "@tinygptv/model/disk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBlobServer, type BlobServer } from "../../test/blobServer.ts";
import { writeModelFolder } from "../../test/modelFolder.ts";
import { runProcess } from "../../test/processes.ts";
import { blobStore, fileStore, listAll, memoryStore, type Store } from "../store/index.ts";
import { pullModel, pushModel } from "./index.ts";

const quick = { retryDelay: () => 1 };
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const weights = randomBytes(700_000);
const files = {
  "phi.onnx": Buffer.from("graph"),
  "phi.data": weights,
  "tokenizer/tokenizer.json": Buffer.from("{}"),
  "tokenizer/same.json": Buffer.from("{}"),
  "empty.txt": Buffer.alloc(0),
};
const weightsKey = `models/tiny/files/${sha256(weights)}`;

let folder: string;
let source: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-"));
  source = join(folder, "source");
  root = join(folder, "pulled");
  await writeModelFolder(source, "tiny", files);
});
afterEach(() => rm(folder, { recursive: true }));

async function expectSame(pulled: string, expected: Record<string, Buffer> = files): Promise<void> {
  for (const [path, bytes] of Object.entries(expected))
    expect((await readFile(join(pulled, path))).equals(bytes)).toBe(true);
  expect((await readManifest(pulled)).files.map(({ path }) => path)).toEqual(Object.keys(expected));
}

/** Everything of the model's files that a store was asked for, from which byte on. */
function watched(store: Store): { store: Store; gets: string[]; puts: string[] } {
  const gets: string[] = [];
  const puts: string[] = [];
  return {
    gets,
    puts,
    store: {
      ...store,
      get(key, options) {
        if (key.includes("/files/")) gets.push(`${key} ${options?.start ?? 0}`);
        return store.get(key, options);
      },
      put(key, body, options) {
        puts.push(key);
        return store.put(key, body, options);
      },
    },
  };
}

describe("pushModel and pullModel", () => {
  let store: Store;
  beforeEach(() => {
    store = memoryStore({ maxBytes: 10_000_000 });
  });

  it("bring a model folder to another disk as it was", async () => {
    expect(await pushModel(store, source)).toBe("tiny");
    const pulled = await pullModel(store, "tiny", root);
    await expectSame(pulled);
    expect(await readFile(join(pulled, "manifest.json"))).toEqual(
      await readFile(join(source, "manifest.json")),
    );
    expect((await readdir(root)).toSorted()).toEqual([".pull", pulled.split("/").at(-1)]);
    expect(await readdir(join(root, ".pull/tiny"))).toEqual(["lock"]);
  });

  it("send what the store has not, and fetch what the disk has not", async () => {
    const first = watched(store);
    await pushModel(first.store, source);
    expect(first.puts.length).toBe(5); // two of the five files are the same; and the manifest
    const pulled = await pullModel(first.store, "tiny", root);
    expect(first.gets.length).toBe(3); // nothing needs to come of an empty one

    const again = watched(store);
    const sent: [string, boolean][] = [];
    await pushModel(again.store, source, {
      onFile: ({ path }, present) => sent.push([path, present]),
    });
    expect(again.puts).toEqual(["models/tiny/manifest.json"]);
    expect(sent).toEqual(Object.keys(files).map((path) => [path, true]));
    expect(await pullModel(again.store, "tiny", root)).toBe(pulled);
    expect(again.gets).toEqual([]);
  });

  it("pull a new version beside the old one, fetching only what changed, and keep the one before", async () => {
    await pushModel(store, source);
    const first = await pullModel(store, "tiny", root);
    const versions = [first];
    for (const text of ["second", "third"]) {
      await writeModelFolder(source, "tiny", { ...files, "phi.onnx": Buffer.from(text) });
      await pushModel(store, source);
      const { store: counted, gets } = watched(store);
      versions.push(await pullModel(counted, "tiny", root));
      expect(gets.length).toBe(1);
      await expectSame(versions.at(-1)!, { ...files, "phi.onnx": Buffer.from(text) });
    }
    const left = (await readdir(root)).filter((name) => name.startsWith("tiny@"));
    expect(left.toSorted()).toEqual(
      versions
        .slice(1)
        .map((path) => path.split("/").at(-1))
        .toSorted(),
    );
  });

  it("fetch a file again that was damaged on disk, and leave the others", async () => {
    await pushModel(store, source);
    const pulled = await pullModel(store, "tiny", root);
    const damaged = Buffer.from(weights);
    damaged[350_000]! ^= 1;
    await writeFile(join(pulled, "phi.data"), damaged);
    const { store: counted, gets } = watched(store);
    expect(await pullModel(counted, "tiny", root)).toBe(pulled);
    expect(gets).toEqual([`${weightsKey} 0`]);
    await expectSame(pulled);
  });

  it("refuse to push a file that is not what the manifest says, and store nothing of it", async () => {
    const damaged = Buffer.from(weights);
    damaged[1]! ^= 1;
    await writeFile(join(source, "phi.data"), damaged);
    await expect(pushModel(store, source)).rejects.toMatchObject({
      code: "model",
      subject: "phi.data",
    });
    await rm(join(source, "phi.data"));
    await expect(pushModel(store, source)).rejects.toMatchObject({
      code: "model",
      message: expect.stringMatching(/phi\.data.*no such file/),
    });
    expect(await store.head(weightsKey)).toBeUndefined();
    expect(await store.head("models/tiny/manifest.json")).toBeUndefined();
    await expect(pullModel(store, "tiny", root)).rejects.toMatchObject({ code: "model" });
  });

  it("refuse the second of two pushes that began from the same version", async () => {
    let other: Promise<string> | undefined;
    const racing: Store = {
      ...store,
      async put(key, body, options) {
        // The other push happens whole while this one sends its first file.
        other ??= pushModel(store, source);
        await other;
        return store.put(key, body, options);
      },
    };
    await expect(pushModel(racing, source)).rejects.toMatchObject({ code: "conflict" });
  });

  it.each([
    ["no such model", "other", "model"],
    ["a path", "../tiny", "parameter"],
    ["nothing", "", "parameter"],
  ])("refuse %s", async (_, name, code) => {
    await pushModel(store, source);
    await expect(pullModel(store, name, root)).rejects.toMatchObject({ code });
  });

  it.each([
    ["damaged", "{"],
    ["foreign", JSON.stringify({ name: "tiny" })],
  ])("refuse a %s manifest", async (_, json) => {
    await store.put("models/tiny/manifest.json", Buffer.from(json));
    await expect(pullModel(store, "tiny", root)).rejects.toMatchObject({ code: "model" });
    expect((await readdir(root)).filter((name) => name.startsWith("tiny"))).toEqual([]);
  });

  it("refuse a model that lacks a file in the store", async () => {
    await pushModel(store, source);
    await store.delete(weightsKey);
    await expect(pullModel(store, "tiny", root)).rejects.toMatchObject({
      code: "model",
      subject: "phi.data",
    });
  });

  it("refuse a manifest that leads out of its folder", async () => {
    const json = (await readFile(join(source, "manifest.json"), "utf8")).replace(
      "phi.data",
      "../../phi.data",
    );
    await store.put("models/tiny/manifest.json", Buffer.from(json));
    await expect(pullModel(store, "tiny", root)).rejects.toMatchObject({ code: "model" });
  });

  it("fetch once when asked several times at once", async () => {
    await pushModel(store, source);
    const { store: counted, gets } = watched(store);
    const pulls = Array.from({ length: 4 }, () => pullModel(counted, "tiny", root));
    const [first, ...others] = await Promise.all(pulls);
    expect(others).toEqual([first, first, first]);
    expect(gets.length).toBe(3);
    await expectSame(first!);
  });

  it("stop at an abort", async () => {
    await pushModel(store, source);
    const abort = new AbortController();
    const pull = pullModel(store, "tiny", root, {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(pull).rejects.toMatchObject({ code: "aborted" });
    await expectSame(await pullModel(store, "tiny", root));
  });
});

describe("pullModel from a store that stalls", () => {
  it("gives up what brings nothing, and goes on where it was", async () => {
    const store = memoryStore({ maxBytes: 10_000_000 });
    await pushModel(store, source);
    let stalls = 2;
    const stalling: Store = {
      ...store,
      async get(key, options) {
        const found = await store.get(key, options);
        if (!found || key !== weightsKey || stalls-- <= 0) return found;
        // Says the first bytes and then nothing, whatever it is told.
        const start = options?.start ?? 0;
        const first = weights.subarray(start, start + 1000);
        const body = new ReadableStream({ start: (stream) => stream.enqueue(first) });
        return { ...found, body };
      },
    };
    const { store: counted, gets } = watched(stalling);
    await expectSame(await pullModel(counted, "tiny", root, { ...quick, stallTimeout: 50 }));
    const asked = gets.filter((get) => get.startsWith(weightsKey));
    expect(asked).toEqual([0, 1000, 2000].map((start) => `${weightsKey} ${start}`));
  });
});

describe("pullModel in several processes", () => {
  const script = new URL("../../test/storeProcess.ts", import.meta.url);
  const total = Object.values(files).reduce((sum, { byteLength }) => sum + byteLength, 0) - 2;
  let storeFolder: string;
  beforeEach(async () => {
    storeFolder = join(folder, "store");
    await pushModel(fileStore(storeFolder), source);
  });

  it("fetches once; the others wait and find it", async () => {
    const pulls = [1, 2, 3].map(() =>
      runProcess(script, ["pull", storeFolder, "tiny", root, "30"]),
    );
    expect(await Promise.all(pulls.map(({ exited }) => exited))).toEqual([0, 0, 0]);
    const said = await Promise.all(
      pulls.map(async ({ line }) => {
        const first = await line();
        return first === "ready" ? line() : first;
      }),
    );
    expect(said.toSorted()).toEqual(["fetched 0", "fetched 0", `fetched ${total}`]);
  });

  it("goes on where a killed process was", async () => {
    const killed = runProcess(script, ["pull", storeFolder, "tiny", root, "200"]);
    expect(await killed.line()).toBe("ready");
    const part = join(root, ".pull/tiny/parts", `${sha256(weights)}.part`);
    while (((await stat(part).catch(() => undefined))?.size ?? 0) === 0)
      await new Promise((done) => setTimeout(done, 20));
    await killed.kill();
    await utimes(join(root, ".pull/tiny/lock/1"), 0, 0); // as if it had been silent for long
    const { size } = await stat(part);
    expect(size).toBeLessThan(weights.byteLength);
    const { store, gets } = watched(fileStore(storeFolder));
    await expectSame(await pullModel(store, "tiny", root));
    expect(gets[0]).toBe(`${weightsKey} ${size}`);
  });
});

describe("pullModel from Vercel Blob", () => {
  let server: BlobServer;
  let store: Store;
  beforeEach(async () => {
    server = await startBlobServer();
    store = blobStore({ token: server.token });
    await pushModel(store, source);
    server.requests.length = 0;
  });
  afterEach(() => server.close());

  const transfers = () =>
    server.requests.filter((request) => request.startsWith(`get ${weightsKey}`));

  it("goes on after every connection that drops", async () => {
    server.fault = (request) => (request.startsWith("get ") ? { dropAfter: 200_000 } : undefined);
    // Bytes on their way when a connection drops are lost, so how far each one gets is not fixed.
    await expectSame(await pullModel(store, "tiny", root, quick));
    expect(transfers().length).toBeGreaterThanOrEqual(4);
    const starts = transfers().map((request) => Number(/bytes=(\d+)/.exec(request)?.[1] ?? 0));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts.at(-1)).toBeGreaterThan(0);
  });

  it("fetches corrupt bytes again", async () => {
    let left = 2;
    server.fault = (request) =>
      request.startsWith(`get ${weightsKey}`) && left-- > 0 ? { corruptAt: 123_456 } : undefined;
    await expectSame(await pullModel(store, "tiny", root, quick));
    expect(transfers()).toEqual(Array.from({ length: 3 }, () => `get ${weightsKey}`));
  });

  it("drops a corrupt beginning, fetched before the connection broke", async () => {
    const faults = [{ corruptAt: 10, dropAfter: 300_000 }];
    server.fault = (request) =>
      request.startsWith(`get ${weightsKey}`) ? faults.shift() : undefined;
    await expectSame(await pullModel(store, "tiny", root, quick));
  });

  it("gives up on a file that is corrupt every time, and shows no model", async () => {
    server.fault = (request) =>
      request.startsWith(`get ${weightsKey}`) ? { corruptAt: 1 } : undefined;
    await expect(pullModel(store, "tiny", root, quick)).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/^phi\.data: sha256: want \w+, got \w+, in 3 copies$/),
    });
    expect(transfers().length).toBe(3);
    expect((await readdir(root)).filter((name) => name.startsWith("tiny"))).toEqual([]);
  });

  it("gives up after six failures in a row, and later goes on", async () => {
    server.fault = (request) => {
      if (!request.startsWith(`get ${weightsKey}`)) return undefined;
      return transfers().length === 1 ? { dropAfter: 300_000 } : { status: 503 };
    };
    await expect(pullModel(store, "tiny", root, quick)).rejects.toMatchObject({ code: "network" });
    expect(transfers().length).toBe(6);
    server.fault = () => undefined;
    await expectSame(await pullModel(store, "tiny", root, quick));
    expect(transfers().at(-1)).toMatch(/bytes=\d+-$/);
  });

  it("survives a failure in passing of the manifest", async () => {
    let left = 2;
    server.fault = (request) =>
      request === "get models/tiny/manifest.json" && left-- > 0 ? { status: 500 } : undefined;
    await expectSame(await pullModel(store, "tiny", root, quick));
  });

  it("sends large files in parts, and not again what arrived before a push broke off", async () => {
    const large = { ...files, "large.data": Buffer.alloc(9 << 20, 7) };
    await writeModelFolder(source, "tiny", large);
    server.fault = (request) =>
      request.startsWith("upload") ? { status: 400, code: "bad_request" } : undefined;
    await expect(pushModel(store, source)).rejects.toMatchObject({ code: "network" });
    server.fault = () => undefined;
    server.requests.length = 0;
    await pushModel(store, source);
    const key = `models/tiny/files/${sha256(large["large.data"])}`;
    const writes = server.requests.filter((request) => /^(put|create|complete)/.test(request));
    expect(writes.toSorted()).toEqual([
      `complete ${key}`,
      `create ${key}`,
      "put models/tiny/manifest.json",
    ]);
    await expectSame(await pullModel(store, "tiny", root, quick), large);
  });

  it("keeps one copy of a file that several levels and paths share", async () => {
    const keys: string[] = [];
    for await (const { key } of listAll(store, "models/")) keys.push(key);
    expect(keys.length).toBe(new Set(Object.values(files).map(sha256)).size + 1);
  });
});
