import { autoregressive } from "./autoregressive.ts";
import { nothingLeft } from "./decoder.ts";
import type { DecodedAnswer, DecodingInput } from "./decoder.ts";
import { argmax } from "./logSoftmax.ts";
import type { GreedyDecoding } from "@tinygptv/protocol";
import type { Decoder } from "./sequence.ts";

/** Always the most probable token, the lowest id of equal ones. */
export function greedy(input: DecodingInput, decoding: GreedyDecoding): Decoder<DecodedAnswer[]> {
  return autoregressive(input, decoding, (scores) => {
    const id = argmax(scores);
    if (id < 0) throw nothingLeft(scores);
    return id;
  });
}
