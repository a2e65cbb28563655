import { expect, it } from "vitest";
import { onHost } from "./hostStorage.ts";
import { KvCache } from "./kvCache.ts";
import { createPrefixCache } from "./prefixCache.ts";
import { CachedSequences } from "./sequences.ts";

const shape = { numLayers: 1, numHeads: 1, headDim: 1, contextLength: 2048 };

/** Sequences as the language model has them, without anything in them; 8 bytes a position. */
function shelf() {
  const cache = new KvCache(onHost(shape), Infinity);
  const sequences = new CachedSequences(cache);
  const model = {
    bytesPerPosition: 8,
    create: () => sequences.create(),
    release: sequences.release.bind(sequences),
    save: sequences.save.bind(sequences),
    discard: sequences.discard.bind(sequences),
    restore: sequences.restore.bind(sequences),
  };
  const holding = (length: number) => {
    const sequence = sequences.create();
    sequences.reserve(new Map([[sequence, length]]));
    sequences.extend(sequence, length);
    return sequence;
  };
  return { cache, sequences, model, holding };
}

const positions = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => seed * 1000 + i);

it("gives way to running sequences, what was used last at the end, and keeps again afterwards", () => {
  const { cache, sequences, model, holding } = shelf();
  const prefixes = createPrefixCache(model, 8 * 100, 10);
  const known = (seed: number) => {
    const sequence = prefixes.take(positions(41, seed));
    const { length } = sequence;
    sequences.release(sequence);
    return length;
  };
  prefixes.give(holding(40), positions(40, 1));
  prefixes.give(holding(40), positions(40, 2));
  expect([known(1), known(2)]).toEqual([40, 40]);
  prefixes.limitTo(8 * 50);
  expect([known(1), known(2)]).toEqual([0, 40]);
  prefixes.limitTo(-8);
  expect(known(2)).toBe(0);
  prefixes.give(holding(40), positions(40, 3));
  expect(known(3)).toBe(0);
  prefixes.limitTo(8 * 1000);
  prefixes.give(holding(40), positions(40, 4));
  prefixes.give(holding(70), positions(70, 5));
  expect([known(4), known(5)]).toEqual([0, 40]);
  expect(sequences.count).toBe(0);
  expect(cache.bytes).toBe(8 * 70);
  prefixes.clear();
  expect(cache.bytes).toBe(0);
});

it("keeps whole chunks of a prompt, nothing behind it, and leaves the last position to be run", () => {
  const { sequences, model, holding } = shelf();
  const prefixes = createPrefixCache(model, 8 * 1000, 32);
  const known = (length: number) => {
    const sequence = prefixes.take(positions(length, 1));
    const held = sequence.length;
    sequences.release(sequence);
    return held;
  };
  // 70 positions of a prompt, and 20 of its answer.
  prefixes.give(holding(90), positions(70, 1));
  expect([200, 70, 65, 64, 63, 33, 32].map(known)).toEqual([64, 64, 64, 32, 32, 32, 0]);
  // One that was cancelled in its second chunk.
  prefixes.clear();
  prefixes.give(holding(40), positions(70, 1));
  expect(known(70)).toBe(32);
});
