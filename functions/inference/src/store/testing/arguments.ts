/** What is refused, and when calls stop. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytes, codes, readText, type Bench } from "./bench.ts";

export function argumentContract(bench: Bench): void {
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
      await expect((async () => bench.store.put(key, bytes("1")))()).rejects.toMatchObject(refused);
      await expect((async () => bench.store.get(key))()).rejects.toMatchObject(refused);
      await expect((async () => bench.store.head(key))()).rejects.toMatchObject(refused);
      await expect((async () => bench.store.delete(key))()).rejects.toMatchObject(refused);
    });

    it.each(["text", "text/", "a/b\r\nx: y", `a/${"b".repeat(200)}`])(
      "refuses the content type %j",
      async (contentType) => {
        await expect(bench.store.put("typed", bytes("1"), { contentType })).rejects.toMatchObject({
          code: "parameter",
          subject: "contentType",
        });
      },
    );

    it("does nothing for a caller that has given up", async () => {
      const signal = AbortSignal.abort();
      await bench.store.put("there", bytes("1"));
      const calls = [
        bench.store.put("there", bytes("2"), { signal }),
        bench.store.get("there", { signal }),
        bench.store.head("there", { signal }),
        bench.store.list({ signal }),
        bench.store.delete("there", { signal }),
      ];
      expect(codes(await Promise.allSettled(calls))).toEqual(calls.map(() => "aborted"));
      expect(await readText(bench.store, "there")).toBe("1");
    });

    it("stops a body that is being read at an abort", async () => {
      await bench.store.put("long", randomBytes(3_000_000));
      const abort = new AbortController();
      const { body } = (await bench.store.get("long", { signal: abort.signal }))!;
      const reader = body.getReader();
      expect((await reader.read()).done).toBe(false);
      abort.abort();
      await expect(reader.read()).rejects.toMatchObject({ code: "aborted" });
    });
  });
}
