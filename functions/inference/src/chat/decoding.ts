/** Decoding parameters under their HTTP names, as the engine takes them. */
import { decodingDefaults } from "@tinygptv/protocol";
import type { DecodingParams } from "@tinygptv/protocol";
import type { DecodingParameters } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";

type Direct = Exclude<
  keyof DecodingParameters,
  | "max_tokens"
  | "max_completion_tokens"
  | "temperature"
  | "top_p"
  | "top_k"
  | "min_p"
  | "seed"
  | "stop"
>;

const direct: Readonly<Record<Direct, keyof DecodingParams>> = {
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  logit_bias: "logitBias",
  logprobs: "logprobs",
  top_logprobs: "topLogprobs",
  min_tokens: "minNewTokens",
  repetition_penalty: "repetitionPenalty",
  no_repeat_ngram_size: "noRepeatNgramSize",
  bad_words: "badWords",
  num_beams: "numBeams",
  length_penalty: "lengthPenalty",
  early_stopping: "earlyStopping",
};

const sampling: Readonly<
  Record<"temperature" | "top_p" | "top_k" | "min_p" | "seed", keyof DecodingParams>
> = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  min_p: "minP",
  seed: "seed",
};

/**
 * What the engine checks is left to it; here is only what OpenAI's parameters
 * mean. Temperature 0 is greedy: of a distribution with all its weight on one
 * token, top_p, top_k, min_p and the seed pick that token, so they are dropped.
 *
 * `at` stands before the names in errors.
 *
 * @throws HttpError invalid_value
 */
export function toDecodingParams(given: DecodingParameters, at = ""): DecodingParams {
  const { max_tokens, max_completion_tokens, stop } = given;
  const fail = (name: string, message: string) =>
    new HttpError("invalid_value", `${at}${name}: ${message}`, { param: at + name });
  if (
    max_tokens !== undefined &&
    max_completion_tokens !== undefined &&
    max_tokens !== max_completion_tokens
  )
    throw fail("max_completion_tokens", "want the same as max_tokens, or one of the two");
  if ((given.top_logprobs ?? 0) > 0 && given.logprobs !== true)
    throw fail("top_logprobs", "want logprobs true with it");
  return {
    maxNewTokens: max_completion_tokens ?? max_tokens,
    // The model's own end mark stays one whatever else is.
    stop: stop === undefined ? undefined : [...decodingDefaults.stop, ...[stop].flat()],
    ...renamed(given, direct),
    ...(given.temperature === 0 ? {} : renamed(given, sampling)),
  };
}

function renamed(
  given: DecodingParameters,
  names: Readonly<Record<string, keyof DecodingParams>>,
): DecodingParams {
  const entries = Object.entries(names).map(
    ([from, to]) => [to, Reflect.get(given, from)] as const,
  );
  return Object.fromEntries(entries);
}
