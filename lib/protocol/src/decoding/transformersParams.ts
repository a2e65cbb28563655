import { z } from "zod";

import { TinyGptvError } from "../errors.ts";
import { parse } from "../issues.ts";
import type { DecodingParams } from "./parameters.ts";

const tokenId = z.number().int().min(0);

const generationArgumentsSchema = z.strictObject({
  do_sample: z.boolean().default(false),
  max_new_tokens: z.number(),
  min_length: z.number().default(0),
  num_beams: z.number().default(1),
  num_return_sequences: z.number().default(1),
  length_penalty: z.number().default(1),
  early_stopping: z.union([z.boolean(), z.literal("never")]).default(false),
  repetition_penalty: z.number().default(1),
  no_repeat_ngram_size: z.number().default(0),
  temperature: z.number().default(1),
  top_k: z.number().default(50),
  top_p: z.number().default(1),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  pad_token_id: tokenId.nullish(),
});

export interface TransformersDecoding {
  params: DecodingParams;
  /** Undefined where the arguments leave it to the model's configuration. */
  endTokenIds: number[] | undefined;
  beginTokenId: number | undefined;
}

/**
 * Arguments of `generate` in Hugging Face transformers 4.36 (embeddings as
 * input) as decoding parameters: golden data records them. As there, arguments
 * of sampling have no effect without `do_sample`, those of beam search none
 * with one beam; padding only matters to batches.
 * @throws TinyGptvError `parameter` for an argument or a combination that is not supported.
 */
export function fromTransformers(generationArguments: unknown): TransformersDecoding {
  const given = parse(generationArgumentsSchema, generationArguments, "parameter");
  const common: DecodingParams = {
    maxNewTokens: given.max_new_tokens,
    // min_length counts the begin token in front of the answer.
    minNewTokens: Math.min(Math.max(0, given.min_length - 1), given.max_new_tokens),
    stop: [],
    repetitionPenalty: given.repetition_penalty,
    noRepeatNgramSize: given.no_repeat_ngram_size,
  };
  const end = given.eos_token_id;
  return {
    params: { ...common, ...methodOf(given) },
    endTokenIds: end === undefined ? undefined : [end ?? []].flat(),
    beginTokenId: given.bos_token_id ?? undefined,
  };
}

function methodOf(given: z.infer<typeof generationArgumentsSchema>): DecodingParams {
  if (given.num_beams > 1) {
    if (given.do_sample) reject("do_sample", `false with ${given.num_beams} beams`, true);
    return {
      method: "beam",
      numBeams: given.num_beams,
      lengthPenalty: given.length_penalty,
      earlyStopping: given.early_stopping,
      numReturnSequences: given.num_return_sequences,
    };
  }
  if (given.num_return_sequences > 1) {
    reject("num_return_sequences", "1 without beams", given.num_return_sequences);
  }
  if (!given.do_sample) return { method: "greedy" };
  return {
    method: "sample",
    temperature: given.temperature,
    topK: given.top_k,
    topP: given.top_p,
  };
}

function reject(name: string, want: string, got: unknown): never {
  throw new TinyGptvError("parameter", `${name}: want ${want}, got ${String(got)}`, {
    subject: name,
  });
}
