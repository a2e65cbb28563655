/** Decoding parameters in the endpoint's (OpenAI's) words. */
import { decodingDefaults, parseSchema } from "@tinygptv/protocol";
import type { DecodingMethod, DecodingParams } from "@tinygptv/protocol";
import type { ChatRequest } from "@tinygptv/protocol/http";

/** The endpoint infers the method; one whose parameters are all at their defaults must still be said. */
const marks: Record<DecodingMethod, Partial<ChatRequest>> = {
  greedy: {},
  sample: { temperature: decodingDefaults.temperature },
  beam: { num_beams: decodingDefaults.numBeams },
};

/**
 * What each parameter becomes. A parameter the protocol gains does not compile
 * until it is here; of two that set the same field, the later one wins.
 */
const translations: {
  [Key in keyof DecodingParams]-?: (
    value: NonNullable<DecodingParams[Key]>,
  ) => Partial<ChatRequest>;
} = {
  method: (method) => marks[method],
  maxNewTokens: (max_tokens) => ({ max_tokens }),
  minNewTokens: (min_tokens) => ({ min_tokens }),
  stop: (texts) => {
    // The endpoint adds the model's own end mark by itself, and counts the others.
    const stop = texts.filter((text) => !decodingDefaults.stop.some((mark) => mark === text));
    return stop.length === 0 ? {} : { stop };
  },
  badWords: (bad_words) => ({ bad_words }),
  logitBias: (logit_bias) => ({ logit_bias }),
  repetitionPenalty: (repetition_penalty) => ({ repetition_penalty }),
  presencePenalty: (presence_penalty) => ({ presence_penalty }),
  frequencyPenalty: (frequency_penalty) => ({ frequency_penalty }),
  noRepeatNgramSize: (no_repeat_ngram_size) => ({ no_repeat_ngram_size }),
  jsonSchema: (text) => ({ response_format: toResponseFormat(text) }),
  topLogprobs: (top_logprobs) => ({ top_logprobs, ...(top_logprobs > 0 && { logprobs: true }) }),
  logprobs: (logprobs) => ({ logprobs }),
  temperature: (temperature) => ({ temperature }),
  topK: (top_k) => ({ top_k }),
  topP: (top_p) => ({ top_p }),
  minP: (min_p) => ({ min_p }),
  seed: (seed) => ({ seed }),
  numBeams: (num_beams) => ({ num_beams }),
  lengthPenalty: (length_penalty) => ({ length_penalty }),
  earlyStopping: (early_stopping) => ({ early_stopping }),
  // It returns all of a search's hypotheses or none; `toEvents` keeps as many as were asked for.
  numReturnSequences: (count) => (count > 1 ? { return_hypotheses: true } : {}),
};

/** @throws TinyGptvError "parameter" where the JSON Schema is no JSON */
export function toApiDecoding(decoding: DecodingParams): Partial<ChatRequest> {
  const parts = Object.entries(translations).map(([key, translate]) => {
    const value = decoding[key as keyof DecodingParams];
    return value === undefined
      ? {}
      : (translate as (value: unknown) => Partial<ChatRequest>)(value);
  });
  return Object.assign({}, ...parts) as Partial<ChatRequest>;
}

function toResponseFormat(text: string): ChatRequest["response_format"] {
  const schema = parseSchema(text);
  // `true` stands for any value, and so does the empty schema; the endpoint wants an object.
  const asObject = schema === true ? {} : (schema as Record<string, unknown>);
  return { type: "json_schema", json_schema: { name: "answer", schema: asObject } };
}
