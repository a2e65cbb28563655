import { beforeEach, describe, expect, it } from "vitest";
import { createResponseCache, type ResponseCache } from "./responseCache.ts";

describe("createResponseCache", () => {
  let now = 0;
  let cache: ResponseCache;
  /** Each answer takes 2 * 244 + 512 = 1000 bytes. */
  const answer = (text: string, seconds = 60) => ({
    body: text.padEnd(244),
    storedAt: now,
    expiresAt: now + seconds * 1000,
  });
  const kept = (...keys: string[]) => keys.filter((key) => cache.get(key));
  beforeEach(() => {
    now = 0;
    cache = createResponseCache(8000, () => now);
  });

  it("keeps an answer until it expires", () => {
    cache.set("a", answer("one", 10));
    expect(cache.get("a")?.body.trim()).toBe("one");
    now = 9_999;
    expect(cache.get("a")).toBeDefined();
    now = 10_000;
    expect(cache.get("a")).toBeUndefined();
  });

  it("drops the least recently used when it is full", () => {
    for (const key of "abcdefgh") cache.set(key, answer(key));
    expect(kept("a", "c")).toEqual(["a", "c"]);
    cache.set("i", answer("i"));
    cache.set("j", answer("j"));
    expect(kept(..."abcdefghij")).toEqual([..."acefghij"]);
  });

  it("counts a replaced or expired answer no more", () => {
    for (let count = 0; count < 20; count++) cache.set("a", answer(String(count)));
    cache.set("short", answer("short", 1));
    now = 2000;
    expect(cache.get("short")).toBeUndefined();
    for (const key of "bcdefgh") cache.set(key, answer(key));
    expect(kept(..."abcdefgh")).toEqual([..."abcdefgh"]);
  });

  it("does not give all its room to one answer, and drops the old one of that name", () => {
    cache.set("a", answer("small"));
    cache.set("a", answer("x".repeat(300)));
    expect(cache.get("a")).toBeUndefined();
  });
});
