import { beam } from "./beam.ts";
import type { DecodedAnswer, DecodingInput } from "./decoder.ts";
import { greedy } from "./greedy.ts";
import type { ResolvedDecoding } from "@tinygptv/protocol";
import { sampling } from "./sampling.ts";
import type { Decoder } from "./sequence.ts";

/** The decoder of a method; its answers come best first, one but for beam search. */
export function decode(input: DecodingInput, decoding: ResolvedDecoding): Decoder<DecodedAnswer[]> {
  switch (decoding.method) {
    case "greedy":
      return greedy(input, decoding);
    case "sample":
      return sampling(input, decoding);
    case "beam":
      return beam(input, decoding);
  }
}

/** The rows a decoder yields at once at most. */
export function rowsOf(decoding: ResolvedDecoding): number {
  return decoding.method === "beam" ? decoding.numBeams : 1;
}
