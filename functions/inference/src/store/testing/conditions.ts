/** Conditional writes and deletions, and writers that race. */
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { bytes, codes, pieces, readText, type Bench } from "./bench.ts";

export function conditionContract(bench: Bench): void {
  describe("conditions", () => {
    it("ifNoneMatch writes only where nothing is", async () => {
      await bench.store.put("once", bytes("1"), { ifNoneMatch: "*" });
      await expect(bench.store.put("once", bytes("2"), { ifNoneMatch: "*" })).rejects.toMatchObject(
        {
          code: "conflict",
        },
      );
      expect(await readText(bench.store, "once")).toBe("1");
    });

    it("ifMatch writes only over that version", async () => {
      const { etag } = await bench.store.put("counter", bytes("1"));
      const next = await bench.store.put("counter", bytes("2"), { ifMatch: etag });
      await expect(bench.store.put("counter", bytes("3"), { ifMatch: etag })).rejects.toMatchObject(
        {
          code: "conflict",
        },
      );
      expect(await readText(bench.store, "counter")).toBe("2");
      await bench.store.put("counter", bytes("3"), { ifMatch: next.etag });
      expect(await readText(bench.store, "counter")).toBe("3");
      await expect(bench.store.put("absent", bytes("1"), { ifMatch: etag })).rejects.toMatchObject({
        code: "conflict",
      });
      expect(await bench.store.head("absent")).toBeUndefined();
    });

    it("takes the etag that get and head show", async () => {
      await bench.store.put("seen", bytes("1"));
      const shown = (await bench.store.get("seen"))!;
      await shown.body.cancel();
      await bench.store.put("seen", bytes("2"), { ifMatch: shown.etag });
      await bench.store.put("seen", bytes("3"), {
        ifMatch: (await bench.store.head("seen"))!.etag,
      });
      const [entry] = (await bench.store.list({ prefix: "seen" })).entries;
      await bench.store.put("seen", bytes("4"), { ifMatch: entry!.etag });
      expect(await readText(bench.store, "seen")).toBe("4");
    });

    it("lets exactly one of many racing writers through", async () => {
      const writers = ["a", "b", "c", "d", "e", "f", "g", "h"];
      const created = await Promise.allSettled(
        writers.map((writer) => bench.store.put("race", pieces(writer), { ifNoneMatch: "*" })),
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
      const { etag } = (await bench.store.head("race"))!;
      const replaced = await Promise.allSettled(
        writers.map((writer) => bench.store.put("race", pieces(writer, "!"), { ifMatch: etag })),
      );
      expect(codes(replaced)).toEqual(once);
      const winner = writers[replaced.findIndex(({ status }) => status === "fulfilled")];
      expect(await readText(bench.store, "race")).toBe(`${winner}!`);
    });

    it("loses no increment of a counter that many change by read, ifMatch and retry", async () => {
      await bench.store.put("count", bytes("0"));
      async function increment(): Promise<void> {
        const { body, etag } = (await bench.store.get("count"))!;
        const next = String(Number(await text(body)) + 1);
        await bench.store.put("count", bytes(next), { ifMatch: etag }).catch((error) => {
          if (error.code !== "conflict") throw error;
          return increment();
        });
      }
      await Promise.all(Array.from({ length: 6 }, increment));
      expect(await readText(bench.store, "count")).toBe("6");
    });

    it("refuses both conditions at once", async () => {
      await expect(
        bench.store.put("both", bytes("1"), { ifMatch: "x", ifNoneMatch: "*" }),
      ).rejects.toMatchObject({
        code: "parameter",
        subject: "ifMatch",
      });
    });
  });

  describe("delete", () => {
    it("removes an object, and is content where there is none", async () => {
      await bench.store.put("gone", bytes("1"));
      await bench.store.delete("gone");
      expect(await bench.store.get("gone")).toBeUndefined();
      expect((await bench.store.list()).entries).toEqual([]);
      await bench.store.delete("gone");
      await bench.store.delete("gone", { ifMatch: "whatever" });
    });

    it("with ifMatch removes only that version", async () => {
      const { etag } = await bench.store.put("guarded", bytes("1"));
      await bench.store.put("guarded", bytes("2"));
      await expect(bench.store.delete("guarded", { ifMatch: etag })).rejects.toMatchObject({
        code: "conflict",
      });
      await bench.store.delete("guarded", { ifMatch: (await bench.store.head("guarded"))!.etag });
      expect(await bench.store.head("guarded")).toBeUndefined();
    });
  });
}
