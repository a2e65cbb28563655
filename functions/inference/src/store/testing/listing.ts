/** Listing, in order and page by page. */
import { describe, expect, it } from "vitest";
import { bytes, keysOf, type Bench } from "./bench.ts";

export function listingContract(bench: Bench): void {
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
      for (const key of keys) await bench.store.put(key, bytes(key));
      expect(await keysOf(bench.store, "")).toEqual(ordered);
      expect(await keysOf(bench.store, "a/")).toEqual(["a/b", "a/b-c", "a/b/c", "a/z"]);
      expect(await keysOf(bench.store, "a/b")).toEqual(["a/b", "a/b-c", "a/b/c"]);
      expect(await keysOf(bench.store, "c/d/e/f")).toEqual(["c/d/e/f"]);
      expect(await keysOf(bench.store, "nothing")).toEqual([]);
    });

    it("says size and etag of each entry", async () => {
      const { etag } = await bench.store.put("sized", bytes("12345"));
      const [entry] = (await bench.store.list()).entries;
      expect(entry).toEqual({ key: "sized", size: 5, etag, modified: expect.any(Date) });
    });

    it.each([1, 2, 3, 11, 12])("pages of %i show every key once", async (limit) => {
      for (const key of keys) await bench.store.put(key, bytes(key));
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await bench.store.list({ limit, cursor });
        pages.push(page.entries.map(({ key }) => key));
        ({ cursor } = page);
      } while (cursor !== undefined);
      expect(pages.flat()).toEqual(ordered);
      expect(pages.length).toBe(Math.ceil(ordered.length / limit));
    });

    it("goes on where it was while objects come and go", async () => {
      for (const key of keys) await bench.store.put(key, bytes(key));
      const { cursor } = await bench.store.list({ limit: 5 });
      await bench.store.delete("a/b");
      await bench.store.delete("a/b/c");
      await bench.store.put("a/c", bytes("new"));
      const { entries } = await bench.store.list({ cursor });
      expect(entries.map(({ key }) => key)).toEqual(["a/b-c", "a/c", "a/z", "a0", "b", "c/d/e/f"]);
    });

    it.each([0, -1, 1.5, 1001, Number.NaN])("refuses a limit of %d", async (limit) => {
      await expect(bench.store.list({ limit })).rejects.toMatchObject({
        code: "parameter",
        subject: "limit",
      });
    });
  });
}
