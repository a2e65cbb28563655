import { expect, it } from "vitest";
import { memoryStore } from "./memoryStore.ts";
import { storeContract } from "./testing/storeContract.ts";

async function* cut() {
  yield new Uint8Array(90);
  throw new Error("cut");
}

const close = async () => {};
storeContract("memoryStore", async () => ({ store: memoryStore({ maxBytes: 64 << 20 }), close }));

it("holds no more than its bound, and makes room by deletion and replacement", async () => {
  const store = memoryStore({ maxBytes: 100 });
  await store.put("a", new Uint8Array(60));
  await expect(store.put("b", new Uint8Array(41))).rejects.toMatchObject({
    code: "io",
    message: "store: cannot write b: the memory store is full (100 bytes)",
  });
  await store.put("b", new Uint8Array(40));
  await store.delete("a");
  await store.put("c", new Uint8Array(60));
  await store.delete("c");
  await store.delete("b");
  await store.put("all", new Uint8Array(100));
});

it("stops reading a body at the bound", async () => {
  let asked = 0;
  async function* endless() {
    while (true) {
      asked += 1;
      yield new Uint8Array(10);
    }
  }
  await expect(memoryStore({ maxBytes: 100 }).put("a", endless())).rejects.toMatchObject({
    code: "io",
  });
  expect(asked).toBe(11);
});

it("counts nothing for writes that failed", async () => {
  const store = memoryStore({ maxBytes: 100 });
  await expect(store.put("a", cut())).rejects.toThrow("cut");
  await store.put("a", new Uint8Array(100));
});
