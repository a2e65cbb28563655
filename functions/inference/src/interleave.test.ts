import { expect, test } from "vitest";
import { interleave } from "./interleave.ts";

async function* count(to: number, onReturn = () => {}): AsyncGenerator<number> {
  try {
    for (let i = 0; i < to; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      yield i;
    }
  } finally {
    onReturn();
  }
}

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

test("gives every item of every source, each source in its order", async () => {
  const items = await collect(interleave([count(3), count(0), count(2)]));
  expect(items.filter(({ source }) => source === 0).map(({ item }) => item)).toEqual([0, 1, 2]);
  expect(items.filter(({ source }) => source === 2).map(({ item }) => item)).toEqual([0, 1]);
  expect(items.slice(0, 2).map(({ source }) => source)).toEqual([0, 2]);
  expect(items).toHaveLength(5);
});

test("begins a source only when there is room for it", async () => {
  const items = await collect(interleave([count(2), count(2), count(2)], 1));
  expect(items.map(({ source }) => source)).toEqual([0, 0, 1, 1, 2, 2]);
});

test("no sources, no items", async () => {
  expect(await collect(interleave([]))).toEqual([]);
});

test("an error ends all", async () => {
  let returned = false;
  async function* fail(): AsyncGenerator<number> {
    yield 0;
    throw new Error("broken");
  }
  await expect(collect(interleave([count(100, () => (returned = true)), fail()]))).rejects.toThrow(
    "broken",
  );
  await expect.poll(() => returned).toBe(true);
});

test("leaving early returns the sources, even one that stalls", async () => {
  let returned = false;
  const stalled: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => new Promise(() => {}),
    }),
  };
  for await (const _ of interleave([stalled, count(5, () => (returned = true))])) break;
  await expect.poll(() => returned).toBe(true);
});
