/** Bytes go in and come out as they were, all of them or none. */
import { randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { bytes, pieces, readText, type Bench } from "./bench.ts";

export function transferContract(bench: Bench): void {
  describe("put and get", () => {
    it("returns the bytes, type, size and etag it was given", async () => {
      const before = Date.now();
      const { etag, size } = await bench.store.put("images/cat.png", bytes("meow"), {
        contentType: "image/png",
      });
      expect(size).toBe(4);
      const { body, modified, ...found } = (await bench.store.get("images/cat.png"))!;
      expect(found).toEqual({ key: "images/cat.png", size: 4, etag, contentType: "image/png" });
      expect(await text(body)).toBe("meow");
      expect(modified.getTime()).toBeGreaterThan(before - 2000);
      const { modified: _, ...head } = (await bench.store.head("images/cat.png"))!;
      expect(head).toEqual(found);
    });

    it("takes a body that comes in pieces, and an empty one", async () => {
      expect(await bench.store.put("pieces", pieces("one ", "", "two ", "three"))).toMatchObject({
        size: 13,
      });
      expect(await readText(bench.store, "pieces")).toBe("one two three");
      expect(await bench.store.put("empty", pieces())).toMatchObject({ size: 0 });
      expect(await readText(bench.store, "empty")).toBe("");
      expect(await bench.store.put("empty", new Uint8Array())).toMatchObject({ size: 0 });
      expect(await bench.store.head("empty")).toMatchObject({
        size: 0,
        contentType: "application/octet-stream",
      });
    });

    it("keeps binary bytes of any length as they are", async () => {
      const body = randomBytes(300_001);
      await bench.store.put("binary", pieces(body.subarray(0, 7), body.subarray(7)));
      expect(Buffer.compare(await buffer((await bench.store.get("binary"))!.body), body)).toBe(0);
    });

    it("answers undefined where there is no object", async () => {
      expect(await bench.store.get("no/such")).toBeUndefined();
      expect(await bench.store.head("no/such")).toBeUndefined();
    });

    it("replaces an object, type and all, and readers see the new one at once", async () => {
      const first = await bench.store.put("note", bytes("first"), { contentType: "text/plain" });
      expect(await readText(bench.store, "note")).toBe("first");
      const second = await bench.store.put("note", bytes("second"), {
        contentType: "application/json",
      });
      expect(second.etag).not.toBe(first.etag);
      expect(await readText(bench.store, "note")).toBe("second");
      expect(await bench.store.head("note")).toMatchObject({
        etag: second.etag,
        size: 6,
        contentType: "application/json",
      });
    });

    it("lets a reader finish with the version it began", async () => {
      const old = randomBytes(2_000_000);
      await bench.store.put("big", old);
      const { body } = (await bench.store.get("big"))!;
      await bench.store.put("big", bytes("new"));
      expect(Buffer.compare(await buffer(body), old)).toBe(0);
    });

    it("reads from a position on, and says the whole size", async () => {
      await bench.store.put("digits", bytes("0123456789"));
      expect(await readText(bench.store, "digits", 4)).toBe("456789");
      const { size, body } = (await bench.store.get("digits", { start: 9 }))!;
      expect([size, await text(body)]).toEqual([10, "9"]);
      await expect(bench.store.get("digits", { start: 10 })).rejects.toMatchObject({
        code: "parameter",
        subject: "start",
      });
      await expect(bench.store.get("digits", { start: -1 })).rejects.toMatchObject({
        code: "parameter",
        subject: "start",
      });
      expect(await bench.store.get("no/such", { start: 4 })).toBeUndefined();
    });

    it("keeps `a` and `a/b` apart", async () => {
      await bench.store.put("a", bytes("leaf"));
      await bench.store.put("a/b", bytes("below"));
      expect([await readText(bench.store, "a"), await readText(bench.store, "a/b")]).toEqual([
        "leaf",
        "below",
      ]);
      await bench.store.delete("a/b");
      expect([await readText(bench.store, "a"), await readText(bench.store, "a/b")]).toEqual([
        "leaf",
        undefined,
      ]);
    });
  });

  describe("a write that fails", () => {
    it("leaves nothing, and passes the body's own error on", async () => {
      const broken = new Error("the client went away");
      async function* body() {
        yield bytes("half");
        throw broken;
      }
      await expect(bench.store.put("half", body())).rejects.toBe(broken);
      expect(await bench.store.head("half")).toBeUndefined();
      expect((await bench.store.list()).entries).toEqual([]);
    });

    it("leaves the old object where there was one", async () => {
      await bench.store.put("kept", bytes("old"));
      async function* body() {
        yield bytes("ne");
        throw new Error("cut");
      }
      await expect(bench.store.put("kept", body())).rejects.toThrow("cut");
      expect(await readText(bench.store, "kept")).toBe("old");
    });

    it("ends at an abort, even while the body stalls, and ends the body", async () => {
      const abort = new AbortController();
      let ended = false;
      const body: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => setTimeout(() => abort.abort(), 5)),
          return: async () => ((ended = true), { done: true, value: undefined }),
        }),
      };
      await expect(
        bench.store.put("stalled", body, { signal: abort.signal }),
      ).rejects.toMatchObject({
        code: "aborted",
      });
      expect(ended).toBe(true);
      expect(await bench.store.head("stalled")).toBeUndefined();
    });

    it("refuses what is not bytes", async () => {
      const body = (async function* () {
        yield "text" as unknown as Uint8Array;
      })();
      await expect(bench.store.put("text", body)).rejects.toMatchObject({ code: "parameter" });
    });
  });

  it("says that it can be written", async () => {
    await expect(bench.store.check()).resolves.toBeUndefined();
    await expect(bench.store.check({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
    expect((await bench.store.list()).entries).toEqual([]);
  });

  it("streams a large body both ways", async () => {
    const mebibyte = randomBytes(1 << 20);
    const count = 20;
    let ahead = 0;
    async function* body() {
      for (let index = 0; index < count; index++) {
        ahead = index;
        yield mebibyte;
      }
    }
    expect(await bench.store.put("large", body())).toMatchObject({ size: count << 20 });
    expect(ahead).toBe(count - 1);
    const found = (await bench.store.get("large"))!;
    expect(found.size).toBe(count << 20);
    let position = 0;
    let same = true;
    for await (const chunk of found.body) {
      for (let at = 0; at < chunk.byteLength; at += 4093)
        same &&= chunk[at] === mebibyte[(position + at) % mebibyte.byteLength];
      position += chunk.byteLength;
    }
    expect([position, same]).toEqual([count << 20, true]);
  });
}
