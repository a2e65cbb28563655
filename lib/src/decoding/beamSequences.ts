import type { Sequence, SequenceStore } from "./sequence.ts";

/** The sequences under a set of beams. */
export interface BeamSequences {
  /**
   * Moves on to new beams, of which the i-th continues old beam `parents[i]`,
   * and returns their sequences. The first child of a parent goes on in its
   * parent's sequence; only further children cost a copy.
   */
  follow(parents: readonly number[]): readonly Sequence[];
  /** Releases every sequence but the root, which is the caller's. */
  release(): void;
}

/** Starts with one beam, on `root`. */
export function beamSequences(store: SequenceStore, root: Sequence): BeamSequences {
  const pool = [root];
  let held: readonly Sequence[] = pool;

  function follow(parents: readonly number[]): readonly Sequence[] {
    const inherited = new Set(parents.map((parent) => held[parent]!));
    const spare = pool.filter((sequence) => !inherited.has(sequence));
    const sources: number[] = [];
    held = parents.map((parent, beam) => {
      const heir = parents.indexOf(parent);
      const reused = heir === beam ? held[parent]! : spare.pop();
      sources.push(reused ? heir : beam);
      if (reused) return reused;
      const forked = store.fork(held[parent]!);
      pool.push(forked);
      return forked;
    });
    if (sources.some((source, beam) => source !== beam)) store.reorder(held, sources);
    return held;
  }

  function release(): void {
    for (const sequence of pool) if (sequence !== root) store.release(sequence);
  }

  return { follow, release };
}
