/** From a chat request to the generations it takes. */
import type { ChatRequest } from "tinygptv/http";
import type { DecodingParams, GenerateRequest } from "tinygptv/protocol";
import { HttpError } from "../errors.ts";
import type { PictureReference } from "../images/loadPictures.ts";
import { toDecodingParams } from "./decoding.ts";
import { toQuestion } from "./question.ts";

export interface Plan {
  /** One for each generation; they differ in their seed only. */
  requests: GenerateRequest[];
  pictures: PictureReference[];
  /** Choices the answer has. */
  choices: number;
  beams: boolean;
  /** Whether all hypotheses of a beam search are given. */
  hypotheses: boolean;
  logprobs: boolean;
  includeUsage: boolean;
}

/**
 * With beams `n` answers are the best n hypotheses of one search; otherwise
 * they are n generations, answer i with seed + i where a seed is given.
 * @throws HttpError invalid_prompt, invalid_value
 */
export function planChat(body: ChatRequest): Plan {
  const { question, pictures } = toQuestion(body);
  const decoding = toDecodingParams(body);
  const { n = 1, num_beams: beams = 1, return_hypotheses: hypotheses = false } = body;
  if (hypotheses && beams < 2) throw invalid("return_hypotheses", "want num_beams above 1 with it");
  if (beams > 1 && n > beams) throw invalid("n", `want at most num_beams (${beams}), got ${n}`);
  if (body.stream !== true && body.stream_options !== undefined)
    throw invalid("stream_options", "want stream true with it");
  const variants: DecodingParams[] =
    beams > 1
      ? [{ ...decoding, numReturnSequences: hypotheses ? beams : n }]
      : Array.from({ length: n }, (_, index) => withSeed(decoding, index));
  return {
    requests: variants.map((variant) => ({
      ...question,
      answerPrefix: body.answer_prefix,
      decoding: variant,
    })),
    pictures,
    choices: n,
    beams: beams > 1,
    hypotheses,
    logprobs: body.logprobs ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

function withSeed(decoding: DecodingParams, index: number): DecodingParams {
  return decoding.seed === undefined ? decoding : { ...decoding, seed: decoding.seed + index };
}

function invalid(param: string, message: string): HttpError {
  return new HttpError("invalid_value", `${param}: ${message}`, { param });
}
