import type { Sequence } from "../decoding/sequence.ts";
import type { Adapter } from "./adapter.ts";
import type { SavedSequence } from "./sequences.ts";

/** What stands at one position: a token, or a place in a picture (`hash/7`). */
export type Position = number | string;

/** What the cache needs of a language model. */
export interface SequenceShelf {
  readonly bytesPerPosition: number;
  create(adapter?: Adapter): Sequence;
  release(sequence: Sequence): void;
  save(sequence: Sequence, length: number): SavedSequence;
  restore(saved: SavedSequence, length: number): Sequence;
  discard(saved: SavedSequence): void;
}

export interface PrefixCache {
  /** A sequence that holds what is known of a prompt with an adapter, or none, in whole chunks, and never all of it. */
  take(prompt: readonly Position[], adapter?: Adapter): Sequence;
  /** Keeps the whole chunks of a prompt for later ones that begin alike, and releases the sequence it has been run in. */
  give(sequence: Sequence, prompt: readonly Position[], adapter?: Adapter): void;
  /** Keeps no more than so many bytes from now on, or than its own limit: running sequences come first. */
  limitTo(bytes: number): void;
  clear(): void;
  /** Positions that did not have to be computed again. */
  readonly reused: number;
}

interface Entry {
  /** Its keys and values are of no use with another. */
  readonly adapter: Adapter | undefined;
  readonly positions: readonly Position[];
  readonly saved: SavedSequence;
}

/**
 * Prompts of finished answers, so that the next round of a conversation (or the
 * same prompt with other parameters) does not prefill the same prefix again. Only
 * what a run from the beginning would compute bit for bit the same is kept: chunks
 * that prompts are cut into (engine/rowWork.ts), whole, and nothing of the answer,
 * whose positions were run one by one.
 * They are copied out of the KV cache and back: a slot of it would be as long
 * as the longest sequence, and every step of every other one would run over it
 * as well. A copy takes milliseconds where the prefill takes seconds, and any
 * number of prompts can start from one entry.
 * @param limit bytes kept at most; of a prompt beyond it the beginning is kept
 * @param chunk positions after which prompts are cut
 */
export function createPrefixCache(model: SequenceShelf, limit: number, chunk: number): PrefixCache {
  const whole = (length: number) => length - (length % chunk);
  /** Least recently used first. */
  let entries: Entry[] = [];
  let reused = 0;
  let longest = Math.floor(limit / model.bytesPerPosition);

  function keep(
    sequence: Sequence,
    positions: readonly Position[],
    adapter: Adapter | undefined,
  ): void {
    const covers = (one: Entry, length: number) =>
      one.adapter === adapter && commonPrefix(one.positions, positions) >= length;
    const known = entries.find((one) => covers(one, positions.length));
    // What the new entry begins with is of no further use.
    const isOut = (one: Entry) => one !== known && covers(one, one.positions.length);
    for (const one of entries.filter(isOut)) drop(one);
    if (known) entries = [...entries.filter((one) => one !== known), known];
    else {
      trim(longest - positions.length); // before there is a copy more
      entries.push({ adapter, positions, saved: model.save(sequence, positions.length) });
    }
  }

  /** Drops what was not used for longest, until so many positions are left. */
  function trim(most: number): void {
    let total = entries.reduce((sum, one) => sum + one.positions.length, 0);
    for (const one of entries) {
      if (total <= most) return;
      total -= one.positions.length;
      drop(one);
    }
  }

  function drop(entry: Entry): void {
    entries = entries.filter((one) => one !== entry);
    model.discard(entry.saved);
  }

  return {
    take(positions, adapter) {
      let best: Entry | undefined;
      let shared = 0;
      for (const candidate of entries) {
        if (candidate.adapter !== adapter) continue;
        const common = commonPrefix(candidate.positions, positions);
        if (common > shared) [best, shared] = [candidate, common];
      }
      // The last position has to run: its logits choose the first token.
      shared = whole(Math.min(shared, positions.length - 1));
      if (!best || shared === 0) return model.create(adapter);
      entries = [...entries.filter((one) => one !== best), best];
      reused += shared;
      return model.restore(best.saved, shared);
    },
    give(sequence, positions, adapter) {
      const held = positions.slice(0, whole(Math.min(sequence.length, positions.length, longest)));
      if (held.length > 0) keep(sequence, held, adapter);
      model.release(sequence);
    },
    limitTo(bytes) {
      longest = Math.floor(Math.min(limit, Math.max(0, bytes)) / model.bytesPerPosition);
      trim(longest);
    },
    clear: () => trim(0),
    get reused() {
      return reused;
    },
  };
}

function commonPrefix(a: readonly Position[], b: readonly Position[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
