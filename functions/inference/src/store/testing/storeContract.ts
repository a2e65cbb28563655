/** What every store does; each implementation's test runs it against its own. */
import { randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listAll, type Store } from "../store.ts";

const bytes = (content: string) => new TextEncoder().encode(content);

async function* pieces(...parts: (string | Uint8Array)[]) {
  for (const part of parts) yield typeof part === "string" ? bytes(part) : part;
}

async function readText(store: Store, key: string, start?: number): Promise<string | undefined> {
  const found = await store.get(key, { start });
  return found && text(found.body);
}

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of listAll(store, prefix)) found.push(key);
  return found;
}

const codes = (results: PromiseSettledResult<unknown>[]) =>
  results
    .map((result) => (result.status === "fulfilled" ? "written" : result.reason.code))
    .toSorted();

/** `open` makes an empty store and what closes it. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; close(): Promise<void> }>,
): void {
  describe(`${name} as a store`, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeEach(async () => ({ store, close } = await open()));
    afterEach(() => close());

    describe("put and get", () => {
      it("returns the bytes, type, size and etag it was given", async () => {
        const before = Date.now();
        const { etag, size } = await store.put("images/cat.png", bytes("meow"), {
          contentType: "image/png",
        });
        expect(size).toBe(4);
        const { body, modified, ...found } = (await store.get("images/cat.png"))!;
        expect(found).toEqual({ key: "images/cat.png", size: 4, etag, contentType: "image/png" });
        expect(await text(body)).toBe("meow");
        expect(modified.getTime()).toBeGreaterThan(before - 2000);
        const { modified: _, ...head } = (await store.head("images/cat.png"))!;
        expect(head).toEqual(found);
      });

      it("takes a body that comes in pieces, and an empty one", async () => {
        expect(await store.put("pieces", pieces("one ", "", "two ", "three"))).toMatchObject({
          size: 13,
        });
        expect(await readText(store, "pieces")).toBe("one two three");
        expect(await store.put("empty", pieces())).toMatchObject({ size: 0 });
        expect(await readText(store, "empty")).toBe("");
        expect(await store.put("empty", new Uint8Array())).toMatchObject({ size: 0 });
        expect(await store.head("empty")).toMatchObject({
          size: 0,
          contentType: "application/octet-stream",
        });
      });

      it("keeps binary bytes of any length as they are", async () => {
        const body = randomBytes(300_001);
        await store.put("binary", pieces(body.subarray(0, 7), body.subarray(7)));
        expect(Buffer.compare(await buffer((await store.get("binary"))!.body), body)).toBe(0);
      });

      it("answers undefined where there is no object", async () => {
        expect(await store.get("no/such")).toBeUndefined();
        expect(await store.head("no/such")).toBeUndefined();
      });

      it("replaces an object, type and all, and readers see the new one at once", async () => {
        const first = await store.put("note", bytes("first"), { contentType: "text/plain" });
        expect(await readText(store, "note")).toBe("first");
        const second = await store.put("note", bytes("second"), {
          contentType: "application/json",
        });
        expect(second.etag).not.toBe(first.etag);
        expect(await readText(store, "note")).toBe("second");
        expect(await store.head("note")).toMatchObject({
          etag: second.etag,
          size: 6,
          contentType: "application/json",
        });
      });

      it("lets a reader finish with the version it began", async () => {
        const old = randomBytes(2_000_000);
        await store.put("big", old);
        const { body } = (await store.get("big"))!;
        await store.put("big", bytes("new"));
        expect(Buffer.compare(await buffer(body), old)).toBe(0);
      });

      it("reads from a position on, and says the whole size", async () => {
        await store.put("digits", bytes("0123456789"));
        expect(await readText(store, "digits", 4)).toBe("456789");
        const { size, body } = (await store.get("digits", { start: 9 }))!;
        expect([size, await text(body)]).toEqual([10, "9"]);
        await expect(store.get("digits", { start: 10 })).rejects.toMatchObject({
          code: "parameter",
          subject: "start",
        });
        await expect(store.get("digits", { start: -1 })).rejects.toMatchObject({
          code: "parameter",
          subject: "start",
        });
        expect(await store.get("no/such", { start: 4 })).toBeUndefined();
      });

      it("keeps `a` and `a/b` apart", async () => {
        await store.put("a", bytes("leaf"));
        await store.put("a/b", bytes("below"));
        expect([await readText(store, "a"), await readText(store, "a/b")]).toEqual([
          "leaf",
          "below",
        ]);
        await store.delete("a/b");
        expect([await readText(store, "a"), await readText(store, "a/b")]).toEqual([
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
        await expect(store.put("half", body())).rejects.toBe(broken);
        expect(await store.head("half")).toBeUndefined();
        expect((await store.list()).entries).toEqual([]);
      });

      it("leaves the old object where there was one", async () => {
        await store.put("kept", bytes("old"));
        async function* body() {
          yield bytes("ne");
          throw new Error("cut");
        }
        await expect(store.put("kept", body())).rejects.toThrow("cut");
        expect(await readText(store, "kept")).toBe("old");
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
        await expect(store.put("stalled", body, { signal: abort.signal })).rejects.toMatchObject({
          code: "aborted",
        });
        expect(ended).toBe(true);
        expect(await store.head("stalled")).toBeUndefined();
      });

      it("refuses what is not bytes", async () => {
        const body = (async function* () {
          yield "text" as unknown as Uint8Array;
        })();
        await expect(store.put("text", body)).rejects.toMatchObject({ code: "parameter" });
      });
    });

    describe("conditions", () => {
      it("ifNoneMatch writes only where nothing is", async () => {
        await store.put("once", bytes("1"), { ifNoneMatch: "*" });
        await expect(store.put("once", bytes("2"), { ifNoneMatch: "*" })).rejects.toMatchObject({
          code: "conflict",
        });
        expect(await readText(store, "once")).toBe("1");
      });

      it("ifMatch writes only over that version", async () => {
        const { etag } = await store.put("counter", bytes("1"));
        const next = await store.put("counter", bytes("2"), { ifMatch: etag });
        await expect(store.put("counter", bytes("3"), { ifMatch: etag })).rejects.toMatchObject({
          code: "conflict",
        });
        expect(await readText(store, "counter")).toBe("2");
        await store.put("counter", bytes("3"), { ifMatch: next.etag });
        expect(await readText(store, "counter")).toBe("3");
        await expect(store.put("absent", bytes("1"), { ifMatch: etag })).rejects.toMatchObject({
          code: "conflict",
        });
        expect(await store.head("absent")).toBeUndefined();
      });

      it("takes the etag that get and head show", async () => {
        await store.put("seen", bytes("1"));
        const shown = (await store.get("seen"))!;
        await shown.body.cancel();
        await store.put("seen", bytes("2"), { ifMatch: shown.etag });
        await store.put("seen", bytes("3"), { ifMatch: (await store.head("seen"))!.etag });
        const [entry] = (await store.list({ prefix: "seen" })).entries;
        await store.put("seen", bytes("4"), { ifMatch: entry!.etag });
        expect(await readText(store, "seen")).toBe("4");
      });

      it("lets exactly one of many racing writers through", async () => {
        const writers = ["a", "b", "c", "d", "e", "f", "g", "h"];
        const created = await Promise.allSettled(
          writers.map((writer) => store.put("race", pieces(writer), { ifNoneMatch: "*" })),
        );
        const once = [
          "conflict",
          "conflict",
          "conflict",
          "conflict",
          "conflict",
          "conflict",
          "conflict",
          "written",
        ];
        expect(codes(created)).toEqual(once);
        const { etag } = (await store.head("race"))!;
        const replaced = await Promise.allSettled(
          writers.map((writer) => store.put("race", pieces(writer, "!"), { ifMatch: etag })),
        );
        expect(codes(replaced)).toEqual(once);
        const winner = writers[replaced.findIndex(({ status }) => status === "fulfilled")];
        expect(await readText(store, "race")).toBe(`${winner}!`);
      });

      it("loses no increment of a counter that many change by read, ifMatch and retry", async () => {
        await store.put("count", bytes("0"));
        async function increment(): Promise<void> {
          const { body, etag } = (await store.get("count"))!;
          const next = String(Number(await text(body)) + 1);
          await store.put("count", bytes(next), { ifMatch: etag }).catch((error) => {
            if (error.code !== "conflict") throw error;
            return increment();
          });
        }
        await Promise.all(Array.from({ length: 6 }, increment));
        expect(await readText(store, "count")).toBe("6");
      });

      it("refuses both conditions at once", async () => {
        await expect(
          store.put("both", bytes("1"), { ifMatch: "x", ifNoneMatch: "*" }),
        ).rejects.toMatchObject({
          code: "parameter",
          subject: "ifMatch",
        });
      });
    });

    describe("delete", () => {
      it("removes an object, and is content where there is none", async () => {
        await store.put("gone", bytes("1"));
        await store.delete("gone");
        expect(await store.get("gone")).toBeUndefined();
        expect((await store.list()).entries).toEqual([]);
        await store.delete("gone");
        await store.delete("gone", { ifMatch: "whatever" });
      });

      it("with ifMatch removes only that version", async () => {
        const { etag } = await store.put("guarded", bytes("1"));
        await store.put("guarded", bytes("2"));
        await expect(store.delete("guarded", { ifMatch: etag })).rejects.toMatchObject({
          code: "conflict",
        });
        await store.delete("guarded", { ifMatch: (await store.head("guarded"))!.etag });
        expect(await store.head("guarded")).toBeUndefined();
      });
    });

    describe("list", () => {
      const keys = ["b", "a/z", "a/b/c", "a-b", "a", "a/b", "a.b", "a/b-c", "A/b", "c/d/e/f", "a0"];
      /** Code-unit order: "-" < "." < "/" < "0" < "A" < "a". */
      const ordered = [
        "A/b",
        "a",
        "a-b",
        "a.b",
        "a/b",
        "a/b-c",
        "a/b/c",
        "a/z",
        "a0",
        "b",
        "c/d/e/f",
      ];

      it("is ordered, by whole keys, and narrowed by prefixes that need not end at a slash", async () => {
        for (const key of keys) await store.put(key, bytes(key));
        expect(await keysOf(store, "")).toEqual(ordered);
        expect(await keysOf(store, "a/")).toEqual(["a/b", "a/b-c", "a/b/c", "a/z"]);
        expect(await keysOf(store, "a/b")).toEqual(["a/b", "a/b-c", "a/b/c"]);
        expect(await keysOf(store, "c/d/e/f")).toEqual(["c/d/e/f"]);
        expect(await keysOf(store, "nothing")).toEqual([]);
      });

      it("says size and etag of each entry", async () => {
        const { etag } = await store.put("sized", bytes("12345"));
        const [entry] = (await store.list()).entries;
        expect(entry).toEqual({ key: "sized", size: 5, etag, modified: expect.any(Date) });
      });

      it.each([1, 2, 3, 11, 12])("pages of %i show every key once", async (limit) => {
        for (const key of keys) await store.put(key, bytes(key));
        const pages: string[][] = [];
        let cursor: string | undefined;
        do {
          const page = await store.list({ limit, cursor });
          pages.push(page.entries.map(({ key }) => key));
          ({ cursor } = page);
        } while (cursor !== undefined);
        expect(pages.flat()).toEqual(ordered);
        expect(pages.length).toBe(Math.ceil(ordered.length / limit));
      });

      it("goes on where it was while objects come and go", async () => {
        for (const key of keys) await store.put(key, bytes(key));
        const { cursor } = await store.list({ limit: 5 });
        await store.delete("a/b");
        await store.delete("a/b/c");
        await store.put("a/c", bytes("new"));
        const { entries } = await store.list({ cursor });
        expect(entries.map(({ key }) => key)).toEqual([
          "a/b-c",
          "a/c",
          "a/z",
          "a0",
          "b",
          "c/d/e/f",
        ]);
      });

      it.each([0, -1, 1.5, 1001, Number.NaN])("refuses a limit of %d", async (limit) => {
        await expect(store.list({ limit })).rejects.toMatchObject({
          code: "parameter",
          subject: "limit",
        });
      });
    });

    describe("arguments", () => {
      const bad = [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "./a",
        ".hidden",
        "a/.b",
      ];
      const hostile = [
        "a\\b",
        "a\0b",
        "a b",
        "a%2fb",
        "é",
        "C:/a",
        "a=",
        "a\n",
        "x".repeat(201),
        "x/".repeat(300),
      ];

      it.each([...bad, ...hostile])("refuses the key %j everywhere", async (key) => {
        const refused = { code: "parameter", subject: "key" };
        await expect((async () => store.put(key, bytes("1")))()).rejects.toMatchObject(refused);
        await expect((async () => store.get(key))()).rejects.toMatchObject(refused);
        await expect((async () => store.head(key))()).rejects.toMatchObject(refused);
        await expect((async () => store.delete(key))()).rejects.toMatchObject(refused);
      });

      it.each(["text", "text/", "a/b\r\nx: y", `a/${"b".repeat(200)}`])(
        "refuses the content type %j",
        async (contentType) => {
          await expect(store.put("typed", bytes("1"), { contentType })).rejects.toMatchObject({
            code: "parameter",
            subject: "contentType",
          });
        },
      );

      it("does nothing for a caller that has given up", async () => {
        const signal = AbortSignal.abort();
        await store.put("there", bytes("1"));
        const calls = [
          store.put("there", bytes("2"), { signal }),
          store.get("there", { signal }),
          store.head("there", { signal }),
          store.list({ signal }),
          store.delete("there", { signal }),
        ];
        expect(codes(await Promise.allSettled(calls))).toEqual(calls.map(() => "aborted"));
        expect(await readText(store, "there")).toBe("1");
      });

      it("stops a body that is being read at an abort", async () => {
        await store.put("long", randomBytes(3_000_000));
        const abort = new AbortController();
        const { body } = (await store.get("long", { signal: abort.signal }))!;
        const reader = body.getReader();
        expect((await reader.read()).done).toBe(false);
        abort.abort();
        await expect(reader.read()).rejects.toMatchObject({ code: "aborted" });
      });
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
      expect(await store.put("large", body())).toMatchObject({ size: count << 20 });
      expect(ahead).toBe(count - 1);
      const found = (await store.get("large"))!;
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
  });
}
