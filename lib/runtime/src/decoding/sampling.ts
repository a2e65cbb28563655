import { autoregressive } from "./autoregressive.ts";
import type { TokenSelector } from "./autoregressive.ts";
import { nothingLeft } from "./decoder.ts";
import type { DecodedAnswer, DecodingInput } from "./decoder.ts";
import { argmax } from "./logSoftmax.ts";
import type { SampleDecoding } from "@tinygptv/protocol";
import { seeded } from "./rng.ts";
import type { Rng } from "./rng.ts";
import type { Decoder } from "./sequence.ts";

/** Draws every token from the processed distribution; one number of `rng` a token. */
export function sampling(
  input: DecodingInput,
  decoding: SampleDecoding,
  rng: Rng = seeded(decoding.seed),
): Decoder<DecodedAnswer[]> {
  return autoregressive(input, decoding, drawFrom(rng));
}

/** Draws in proportion to exp(score), by inversion in the order of ids; -Infinity is never drawn. */
export function drawFrom(rng: Rng): TokenSelector {
  return (scores) => {
    const best = argmax(scores);
    if (best < 0) throw nothingLeft(scores);
    const max = scores[best]!;
    let total = 0;
    for (let id = 0; id < scores.length; id++) {
      if (scores[id]! > -Infinity) total += Math.exp(scores[id]! - max);
    }
    let left = rng() * total;
    for (let id = 0; id < scores.length; id++) {
      if (scores[id]! > -Infinity) left -= Math.exp(scores[id]! - max);
      if (left < 0) return id;
    }
    // Rounding can leave a crumb after the last token.
    return best;
  };
}
