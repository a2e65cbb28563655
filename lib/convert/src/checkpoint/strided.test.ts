import { expect, test } from "vitest";
import { randomBelow } from "../../../../test/support/random.ts";
import type { StridedView } from "./strided.ts";
import { readStrided, viewProblem } from "./strided.ts";

/** Element by element, as the definition of strides says. */
function dense(
  { shape, strides, offset }: StridedView,
  storage: Uint8Array,
  elementBytes: number,
): Uint8Array {
  let places = [offset];
  for (const [axis, size] of shape.entries()) {
    places = places.flatMap((place) =>
      Array.from({ length: size }, (_, i) => place + i * strides[axis]!),
    );
  }
  return Uint8Array.from(
    places.flatMap((place) => [
      ...storage.subarray(place * elementBytes, (place + 1) * elementBytes),
    ]),
  );
}

/** A storage of different bytes, and an account of what is read of it. */
function storageOf(bytes: number) {
  const storage = Uint8Array.from({ length: bytes }, (_, i) => (i * 131 + (i >> 8)) & 255);
  const reads: [number, number][] = [];
  const read = async (offset: number, length: number) => {
    reads.push([offset, length]);
    return storage.slice(offset, offset + length);
  };
  return { storage, read, reads };
}

test("views made by slicing, stepping, permuting and repeating come out dense", async () => {
  const below = randomBelow(1);
  for (let round = 0; round < 400; round++) {
    const elementBytes = [1, 2, 4, 8][below(4)]!;
    const rank = below(5);
    // A dense tensor, then a part of each axis at some step, then any order of the axes.
    const full = Array.from({ length: rank }, () => 1 + below(6));
    const fullStrides = full.map((_, axis) => full.slice(axis + 1).reduce((a, b) => a * b, 1));
    let offset = below(4);
    const axes = full.map((size, axis) => {
      const start = below(size);
      const step = 1 + below(3);
      offset += start * fullStrides[axis]!;
      return {
        size: Math.ceil((size - start) / step),
        stride: step * fullStrides[axis]!,
        order: below(100),
      };
    });
    if (below(3) === 0) axes.push({ size: 1 + below(3), stride: 0, order: below(100) });
    axes.sort((a, b) => a.order - b.order);
    const view = {
      shape: axes.map(({ size }) => size),
      strides: axes.map(({ stride }) => stride),
      offset,
    };
    const elements = full.reduce((a, b) => a * b, 1) + 4;
    const { storage, read } = storageOf(elements * elementBytes);

    expect(viewProblem(view, elements)).toBeUndefined();
    const windowBytes = below(2) === 0 ? undefined : 8 + below(100);
    const bytes = await readStrided(view, elementBytes, read, windowBytes);
    expect({ view, bytes }).toEqual({ view, bytes: dense(view, storage, elementBytes) });
  }
});

test("a contiguous view is one read, whatever the strides of its axes of size 1", async () => {
  const { storage, read, reads } = storageOf(400);
  const view = { shape: [1, 5, 1, 4], strides: [999, 4, 77, 1], offset: 10 };
  expect(await readStrided(view, 4, read, 16)).toEqual(storage.slice(40, 120));
  expect(reads).toEqual([[40, 80]]);
});

test("a transposed matrix is read in order, in stretches of the window's size", async () => {
  const { storage, read, reads } = storageOf(100 * 30 * 2);
  const view = { shape: [30, 100], strides: [1, 30], offset: 0 };
  expect(await readStrided(view, 2, read, 600)).toEqual(dense(view, storage, 2));
  expect(reads).toEqual(Array.from({ length: 10 }, (_, i) => [i * 600, 600]));
});

test("elements far apart are read one by one, not with all that lies between", async () => {
  const { storage, read, reads } = storageOf(10_000);
  const view = { shape: [3, 2], strides: [1, 1000], offset: 5 };
  expect(await readStrided(view, 4, read, 100)).toEqual(dense(view, storage, 4));
  expect(reads).toEqual([
    [20, 12],
    [4020, 12],
  ]);
});

test("values of eight bytes keep all their bits", async () => {
  const signalling = Uint8Array.of(1, 0, 0, 0, 0, 0, 0xf4, 0x7f);
  const storage = Uint8Array.of(...signalling, ...new Uint8Array(8), ...signalling);
  const view = { shape: [2], strides: [2], offset: 0 };
  const bytes = await readStrided(view, 8, async (offset, length) =>
    storage.slice(offset, offset + length),
  );
  expect(bytes).toEqual(Uint8Array.of(...signalling, ...signalling));
});

test.each([
  ["within its storage", [3, 4], [4, 1], 0],
  ["empty, wherever it lies", [0, 4], [4, 1], 99],
  ["empty beside absurd sizes", [2 ** 52, 2 ** 52, 0], [1, 1, 1], 0],
  ["repeating", [1000, 12], [0, 1], 0],
])("a view that is %s has no problem", (_, shape, strides, offset) => {
  expect(viewProblem({ shape, strides, offset }, 12)).toBeUndefined();
});

test.each([
  [
    "one beyond",
    [3, 4],
    [4, 1],
    1,
    "want a view within the 12 elements of its storage, got one to 13",
  ],
  ["a scalar beyond", [], [], 12, "got one to 13"],
  ["a stride beyond", [2], [12], 0, "got one to 13"],
  ["absurd", [2 ** 52], [2 ** 52], 0, "want a view within"],
  ["repeating without end", [2 ** 30, 12], [0, 1], 0, "want a view of at most 16777216 elements"],
  [
    "a sliding window",
    [5, 4],
    [1, 1],
    0,
    "want a view that does not overlap itself, got strides [1,1]",
  ],
  ["interleaved rows", [3, 3], [3, 2], 0, "does not overlap itself"],
])("a view that is %s has a problem", (_, shape, strides, offset, problem) => {
  expect(viewProblem({ shape, strides, offset }, 12)).toContain(problem);
});
