import { expect, it } from "vitest";
import { take, type Bucket } from "./tokenBucket.ts";

const limit = { requestsPerMinute: 60, burst: 3 };

it("gives its burst at once, then one token a second", () => {
  const asked: [number, boolean, number, number][] = [];
  let bucket: Bucket | undefined;
  for (const at of [0, 0, 0, 0, 500, 1000, 1000, 3000, 60_000]) {
    const taken = take(bucket, limit, at);
    ({ bucket } = taken);
    asked.push([at, taken.allowed, taken.remaining, taken.retryAfter]);
  }
  expect(asked).toEqual([
    [0, true, 2, 0],
    [0, true, 1, 0],
    [0, true, 0, 1],
    [0, false, 0, 1],
    [500, false, 0, 1],
    [1000, true, 0, 1],
    [1000, false, 0, 1],
    [3000, true, 1, 0],
    [60_000, true, 2, 0],
  ]);
});

it("says when it will be full again, and how long a slow one takes", () => {
  expect(take(undefined, limit, 0).reset).toBe(1);
  const slow = take({ tokens: 0, at: 0 }, { requestsPerMinute: 1, burst: 2 }, 15_000);
  expect([slow.allowed, slow.retryAfter, slow.reset]).toEqual([false, 45, 105]);
});

it("gains nothing from a clock that goes back", () => {
  expect(take({ tokens: 0.5, at: 1000 }, limit, 0).bucket.tokens).toBe(0.5);
});
