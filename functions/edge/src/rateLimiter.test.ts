import { describe, expect, it } from "vitest";
import { createRateLimiter, type BucketStore } from "./rateLimiter.ts";

const limit = { requestsPerMinute: 60, burst: 4 };

function keyValues() {
  const values = new Map<string, string>();
  const times: number[] = [];
  const store: BucketStore = {
    get: async (key) => values.get(key) ?? null,
    async put(key, value, { expirationTtl }) {
      values.set(key, value);
      times.push(expirationTtl);
    },
  };
  return { store, values, times };
}

async function allowed(limiter: ReturnType<typeof createRateLimiter>, name: string, times: number) {
  const taken = await Promise.all(Array.from({ length: times }, () => limiter(name, limit)));
  return taken.filter((one) => one.allowed).length;
}

describe("createRateLimiter", () => {
  it("counts each name for itself, also of requests that come at once", async () => {
    const limiter = createRateLimiter(undefined, () => 0);
    expect(await allowed(limiter, "anna", 6)).toBe(4);
    expect(await allowed(limiter, "ben", 6)).toBe(4);
    expect(await allowed(limiter, "anna", 1)).toBe(0);
  });

  it("sees in a store what other isolates counted", async () => {
    const { store, times } = keyValues();
    const [first, second] = [createRateLimiter(store, () => 0), createRateLimiter(store, () => 0)];
    expect(await allowed(first, "anna", 3)).toBe(3);
    expect(await allowed(second, "anna", 3)).toBe(1);
    expect(await allowed(first, "anna", 1)).toBe(0);
    expect(Math.min(...times)).toBe(60);
  });

  it("never takes an old value of the store for more than its own count", async () => {
    const { store, values } = keyValues();
    const limiter = createRateLimiter(store, () => 0);
    await allowed(limiter, "anna", 4);
    values.clear();
    expect(await allowed(limiter, "anna", 1)).toBe(0);
  });

  it("goes on alone when the store fails or holds something else", async () => {
    const failing: BucketStore = {
      get: () => Promise.reject(new Error("down")),
      put: () => Promise.reject(new Error("down")),
    };
    const limiter = createRateLimiter(failing, () => 0);
    expect(await allowed(limiter, "anna", 6)).toBe(4);
    const { store, values } = keyValues();
    values.set("bucket:anna", "not a bucket");
    expect(
      await allowed(
        createRateLimiter(store, () => 0),
        "anna",
        6,
      ),
    ).toBe(4);
  });
});
