import type { DecodingInput } from "./decoder.ts";
import {
  badWords,
  frequencyPenalty,
  logitBias,
  minNewTokens,
  noRepeatNgram,
  presencePenalty,
  repetitionPenalty,
} from "./logitsProcessors.ts";
import type { LogitsProcessor } from "./logitsProcessors.ts";
import { minP, temperature, topK, topP } from "./logitsWarpers.ts";
import type { ResolvedDecoding } from "@tinygptv/protocol";

/**
 * The processors of a decoding, in the reference's order: penalties, bans,
 * minimum length, bias, a constraint, then what belongs to sampling. Neutral settings (a
 * penalty of 1, a top-k of 0, ...) put nothing in the list.
 */
export function processorsFor(
  decoding: ResolvedDecoding,
  { model, endTokenIds, badWordIds, constraint }: DecodingInput,
): LogitsProcessor[] {
  const d = decoding;
  const processors = [
    d.repetitionPenalty !== 1 && repetitionPenalty(d.repetitionPenalty),
    d.presencePenalty !== 0 && presencePenalty(d.presencePenalty),
    d.frequencyPenalty !== 0 && frequencyPenalty(d.frequencyPenalty),
    d.noRepeatNgramSize > 0 && noRepeatNgram(d.noRepeatNgramSize),
    badWordIds.length > 0 && badWords(badWordIds),
    d.minNewTokens > 0 && minNewTokens(d.minNewTokens, endTokenIds),
    Object.keys(d.logitBias).length > 0 && logitBias(d.logitBias, model.vocabularySize),
    constraint !== undefined && constraint,
  ];
  if (d.method === "sample") {
    processors.push(
      d.temperature !== 1 && temperature(d.temperature),
      d.topK > 0 && topK(d.topK),
      d.topP < 1 && topP(d.topP),
      d.minP > 0 && minP(d.minP),
    );
  }
  return processors.filter((processor) => processor !== false);
}
