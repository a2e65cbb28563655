import { randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBlobServer, type BlobServer, type Fault } from "../../test/blobServer.ts";
import { blobStore } from "./blobStore.ts";
import type { Store } from "./store.ts";
import { storeContract } from "./testing/storeContract.ts";

storeContract("blobStore", async () => {
  const { token, close } = await startBlobServer();
  return { store: blobStore({ token }), close };
});

describe("blobStore", () => {
  const mebibyte = 1 << 20;
  let server: BlobServer;
  let store: Store;
  beforeEach(async () => {
    server = await startBlobServer();
    store = blobStore({ token: server.token });
  });
  afterEach(() => server.close());

  async function* pieces(count: number) {
    for (let index = 0; index < count; index++) yield new Uint8Array(mebibyte).fill(index);
  }

  /** Faults by the beginning of the request's line, each for so many times. */
  function failing(faults: Record<string, Fault & { times?: number }>): void {
    const left = new Map(Object.entries(faults).map(([line, { times = 1 }]) => [line, times]));
    server.fault = (request) => {
      const line = Object.keys(faults).find(
        (start) => request.startsWith(start) && left.get(start)! > 0,
      );
      if (line) left.set(line, left.get(line)! - 1);
      return line ? faults[line] : undefined;
    };
  }

  it("keeps everything private", async () => {
    await store.put("small", Buffer.from("1"));
    await store.put("large", pieces(9));
    expect([...server.blobs.values()].map(({ access }) => access)).toEqual(["private", "private"]);
  });

  it("sends a body of up to 8 MiB in one request and a longer one in parts of 8 MiB", async () => {
    await store.put("small", new Uint8Array(8 * mebibyte - 1));
    await store.put("exact", pieces(16));
    await store.put("longer", pieces(17));
    expect(server.requests.toSorted()).toEqual([
      "complete exact",
      "complete longer",
      "create exact",
      "create longer",
      "put small",
      "upload exact 1",
      "upload exact 2",
      "upload longer 1",
      "upload longer 2",
      "upload longer 3",
    ]);
    expect(server.blobs.get("longer")?.bytes.equals(await buffer(pieces(17)))).toBe(true);
  });

  it("checks conditions of bodies in parts too", async () => {
    await store.put("model", Buffer.from("1"));
    await expect(store.put("model", pieces(9), { ifNoneMatch: "*" })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(store.put("model", pieces(9), { ifMatch: '"other"' })).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await store.head("model")).toMatchObject({ size: 1 });
  });

  it("asks no more of the body than a few parts ahead, and stops at a part that fails", async () => {
    let asked = 0;
    let ended = false;
    async function* endless() {
      try {
        for (;;) {
          asked += 1;
          yield new Uint8Array(mebibyte);
        }
      } finally {
        ended = true;
      }
    }
    failing({ "upload model 3": { status: 500, code: "internal_server_error" } });
    await expect(store.put("model", endless())).rejects.toMatchObject({
      code: "network",
      subject: "model",
    });
    expect(ended).toBe(true);
    expect(asked).toBeLessThan(9 * 8);
    expect(await store.head("model")).toBeUndefined();
  });

  it("lets the client repeat what fails in passing", async () => {
    process.env["VERCEL_BLOB_RETRIES"] = "1";
    failing({ "upload model 2": { status: 503, code: "service_unavailable" } });
    await store.put("model", pieces(9));
    expect(server.requests.filter((line) => line === "upload model 2").length).toBe(2);
    expect(server.blobs.get("model")?.bytes.byteLength).toBe(9 * mebibyte);
  });

  it.each([
    [
      "put a",
      { status: 503, code: "service_unavailable" },
      "cannot write a: The blob service is currently not available",
    ],
    ["put a", { status: 429, code: "rate_limited" }, "cannot write a: Too many requests"],
    [
      "put a",
      { status: 403, code: "store_suspended" },
      "cannot write a: This store has been suspended",
    ],
    ["put a", { dropAfter: 0 }, "cannot write a: fetch failed"],
  ])("says why %s failed with %j", async (line, fault, message) => {
    failing({ [line]: fault });
    await expect(store.put("a", Buffer.from("1"))).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining(`store: ${message}`),
    });
  });

  it("says why a read failed", async () => {
    await store.put("a", Buffer.from("1"));
    failing({ "get a": { status: 500 }, "head a": { status: 500 }, list: { status: 500 } });
    const network = { code: "network" };
    await expect(store.get("a")).rejects.toMatchObject({
      ...network,
      message: expect.stringContaining("500"),
    });
    await expect(store.head("a")).rejects.toMatchObject(network);
    await expect(store.list()).rejects.toMatchObject(network);
  });

  it("refuses with the wrong token, and never shows it", async () => {
    const stranger = blobStore({ token: "vercel_blob_rw_testStore_wrong" });
    const error = await stranger.put("a", Buffer.from("1")).catch((caught) => caught);
    expect(error).toMatchObject({
      code: "network",
      message: expect.stringMatching(/Access denied/),
    });
    expect(JSON.stringify(error) + error.message).not.toContain("wrong");
  });

  it("tells a body that broke off from one that ended, and reads on from there", async () => {
    const bytes = randomBytes(mebibyte);
    await store.put("a", bytes);
    failing({ "get a": { dropAfter: 300_000 } });
    const read: Uint8Array[] = [];
    const drain = async (start: number) => {
      for await (const chunk of (await store.get("a", { start }))!.body) read.push(chunk);
    };
    await expect(drain(0)).rejects.toMatchObject({
      code: "network",
      message: "store: cannot read a: terminated",
    });
    await drain(Buffer.concat(read).byteLength);
    expect(Buffer.concat(read).equals(bytes)).toBe(true);
  });

  it("reads from a position even where the host ignores ranges", async () => {
    await store.put("digits", Buffer.from("0123456789"));
    failing({ "get digits": { ignoreRange: true } });
    const { size, body } = (await store.get("digits", { start: 7 }))!;
    expect([size, await text(body)]).toEqual([10, "789"]);
  });

  it("shows the true size and etag of what a CDN would compress", async () => {
    const json = JSON.stringify(Array.from({ length: 1000 }, () => "same"));
    const { etag } = await store.put("list.json", Buffer.from(json), {
      contentType: "application/json",
    });
    const { body, ...found } = (await store.get("list.json"))!;
    expect(found).toMatchObject({ size: json.length, etag });
    expect(await text(body)).toBe(json);
  });

  it("overlooks folders made in the dashboard", async () => {
    await store.put("a/b", Buffer.from("1"));
    server.blobs.set("a/", { ...server.blobs.get("a/b")!, bytes: Buffer.alloc(0) });
    expect((await store.list()).entries.map(({ key }) => key)).toEqual(["a/b"]);
  });
});
