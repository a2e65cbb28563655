import type { LanguageModel, Sequence } from "../decoding/sequence.ts";

/** What stands at one position: a token, or a place in a picture (`hash/7`). */
export type Position = number | string;

export interface PrefixCache {
  /** A sequence that holds as much of a prompt as is known, at least one position less than all of it. */
  take(positions: readonly Position[]): Sequence;
  /** Keeps a sequence for later prompts that begin alike; it belongs to the cache from here on. */
  give(sequence: Sequence, positions: readonly Position[]): void;
  clear(): void;
  /** Positions that did not have to be computed again. */
  readonly reused: number;
}

/**
 * Sequences of finished answers, kept so that the next round of a conversation
 * (or the same prompt with other parameters) does not prefill the same prefix again.
 * @param limit sequences kept; each takes a slot of the KV cache
 */
export function createPrefixCache(
  model: Pick<LanguageModel, "create" | "truncate" | "release">,
  limit: number,
): PrefixCache {
  /** Least recently used first. */
  let parked: { sequence: Sequence; positions: readonly Position[] }[] = [];
  let reused = 0;

  return {
    take(positions) {
      let best: { sequence: Sequence; positions: readonly Position[] } | undefined;
      let shared = 0;
      for (const candidate of parked) {
        const common = commonPrefix(candidate.positions, positions);
        if (common > shared) [best, shared] = [candidate, common];
      }
      // The last position has to run: its logits choose the first token.
      shared = Math.min(shared, positions.length - 1);
      if (!best || shared === 0) return model.create();
      parked = parked.filter((one) => one !== best);
      model.truncate(best.sequence, shared);
      reused += shared;
      return best.sequence;
    },
    give(sequence, positions) {
      model.truncate(sequence, Math.min(sequence.length, positions.length));
      parked.push({ sequence, positions: positions.slice(0, sequence.length) });
      while (parked.length > limit) model.release(parked.shift()!.sequence);
    },
    clear() {
      for (const { sequence } of parked.splice(0)) model.release(sequence);
    },
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
