import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sequence } from "../decoding/sequence.ts";
import { onHost } from "./hostStorage.ts";
import { KvCache } from "./kvCache.ts";
import { CachedSequences } from "./sequences.ts";

const shape = { numLayers: 2, numHeads: 3, headDim: 2, contextLength: 2048 };
const positionBytes = 8 * 2 * 3 * 2;
const rowSize = shape.numHeads * shape.headDim;

/** A cache whose positions hold numbers of the test's choosing, so that contents can be compared. */
function harness(limit = Infinity) {
  const cache = new KvCache(onHost(shape), limit);
  const sequences = new CachedSequences(cache);
  return {
    cache,
    sequences,
    append(sequence: Sequence, values: readonly number[]) {
      sequences.reserve(new Map([[sequence, values.length]]));
      for (const value of values) {
        const { pool, slot } = sequences.placeOf(sequence);
        for (let layer = 0; layer < shape.numLayers; layer++) {
          const key = new Float32Array(rowSize).map((_, i) => value * 100 + layer * 10 + i);
          const step = { key, value: key.map((x) => -x), row: 0, count: 1 };
          pool.storage.append(layer, slot, sequence.length, step);
        }
        sequences.extend(sequence, 1);
      }
    },
    /** What the cache holds for a sequence, checked in every layer and head, keys and values. */
    content(sequence: Sequence): number[] {
      if (sequence.length === 0) return [];
      const { pool, slot } = sequences.placeOf(sequence);
      const { key, value } = pool.storage.view(1, slot, 1);
      return Array.from({ length: sequence.length }, (_, position) => {
        const at = (head: number) => (head * pool.capacity + position) * shape.headDim;
        const number = (key[at(0)]! - 10) / 100;
        for (let head = 0; head < shape.numHeads; head++)
          for (let i = 0; i < shape.headDim; i++) {
            expect(key[at(head) + i]).toBe(number * 100 + 10 + head * shape.headDim + i);
            expect(value[at(head) + i]).toBe(-key[at(head) + i]!);
          }
        return number;
      });
    },
  };
}

describe("cached sequences", () => {
  it("keeps forks apart", () => {
    const { sequences, append, content } = harness();
    const parent = sequences.create();
    append(parent, [1, 2, 3]);
    const child = sequences.fork(parent);
    append(child, [4]);
    append(parent, [5, 6]);
    expect(content(child)).toEqual([1, 2, 3, 4]);
    expect(content(parent)).toEqual([1, 2, 3, 5, 6]);
  });

  it("are each as long as they are, whatever stands beside them", () => {
    const { cache, sequences, append, content } = harness();
    const long = sequences.create();
    const short = sequences.create();
    expect(cache.bytes).toBe(0);
    append(short, [7]);
    const values = Array.from({ length: 1300 }, (_, i) => i);
    append(long, values);
    expect(sequences.placeOf(long).pool.capacity).toBe(1536);
    expect(sequences.placeOf(short).pool.capacity).toBe(256);
    expect(cache.bytes).toBe((1536 + 256) * positionBytes);
    expect(content(long)).toEqual(values);
    expect(content(short)).toEqual([7]);
    sequences.release(long);
    expect(cache.bytes).toBe(256 * positionBytes);
    append(short, [8]);
    expect(content(short)).toEqual([7, 8]);
    sequences.release(short);
    expect(cache.bytes).toBe(0);
  });

  it("keep to the limit while they grow: what is free is given up, and what is left behind", () => {
    const limit = (4 * 256 + 2 * 512) * positionBytes;
    const { cache, sequences, append, content } = harness(limit);
    const all = Array.from({ length: 4 }, (_, i) => ({ sequence: sequences.create(), i }));
    for (const { sequence, i } of all) append(sequence, [i, i + 1]);
    const [first, second, ...others] = all.map(({ sequence }) => sequence);
    for (const one of others) sequences.release(one);
    const more = Array.from({ length: 500 }, (_, i) => i);
    for (const one of [first!, second!]) append(one, more);
    const third = sequences.create();
    append(third, [...more, ...more]);
    expect(cache.bytes).toBe(limit);
    expect(content(first!)).toEqual([0, 1, ...more]);
    expect(content(second!)).toEqual([1, 2, ...more]);
    expect(content(third)).toEqual([...more, ...more]);
  });

  it("refuses a sequence that was released", () => {
    const { sequences } = harness();
    const sequence = sequences.create();
    sequences.release(sequence);
    expect(() => sequences.fork(sequence)).toThrow(/released/);
  });

  it("does as plain copies would, whatever is forked, reordered, cut, gathered and released", () => {
    const operation = fc.record({
      kind: fc.constantFrom("create", "append", "fork", "reorder", "truncate", "gather", "release"),
      a: fc.nat(20),
      b: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const { sequences, append, content } = harness();
        const live: { sequence: Sequence; content: number[] }[] = [];
        let next = 0;
        const gathered: { rows: number[]; places: number[]; want: number[] }[] = [];
        const pick = (n: number) => live[n % live.length]!;
        for (const { kind, a, b } of operations) {
          if (kind === "create" && live.length < 8)
            live.push({ sequence: sequences.create(), content: [] });
          if (live.length === 0) continue;
          const one = pick(a);
          const several = [...new Set(b.map(pick))];
          switch (kind) {
            case "append": {
              const values = b.map(() => next++);
              append(one.sequence, values);
              one.content.push(...values);
              break;
            }
            case "fork":
              if (live.length < 8)
                live.push({ sequence: sequences.fork(one.sequence), content: [...one.content] });
              break;
            case "reorder": {
              const parents = several.map((_, i) => b[i % b.length]! % several.length);
              const contents = parents.map((parent) => [...several[parent]!.content]);
              sequences.reorder(
                several.map(({ sequence }) => sequence),
                parents,
              );
              several.forEach((target, i) => (target.content = contents[i]!));
              break;
            }
            case "truncate":
              sequences.truncate(one.sequence, b[0]!);
              one.content.length = Math.min(one.content.length, b[0]!);
              break;
            case "gather": {
              // Of one pool, as the language model has them.
              for (const { sequence } of several) sequences.reserve(new Map([[sequence, 1]]));
              const { first, rows } = sequences.gather(several.map(({ sequence }) => sequence));
              const kept = several.map(({ sequence }) => sequences.placeOf(sequence).slot);
              gathered.push({
                rows: rows.toSorted((x, y) => x - y),
                places: rows.map((row) => first + row),
                want: kept,
              });
              break;
            }
            case "release":
              sequences.release(one.sequence);
              live.splice(live.indexOf(one), 1);
              break;
            default:
          }
          for (const { sequence, content: want } of live) expect(content(sequence)).toEqual(want);
          for (const { rows, places, want } of gathered.splice(0)) {
            expect(rows).toEqual(rows.map((_, i) => i));
            expect(places).toEqual(want);
          }
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
