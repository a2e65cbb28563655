/** From a chat request to the generations it takes. */
import type { DecodingParams, GenerateRequest, Round } from "@tinygptv/protocol";
import type { ChatRequest } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";
import type { PictureReference } from "../images/loadPictures.ts";
import { toDecodingParams } from "./decoding.ts";
import { toQuestion } from "./question.ts";

export interface Plan {
  /** One for each generation; they differ in their seed only. */
  requests: GenerateRequest[];
  rounds: readonly Round[];
  pictures: PictureReference[];
  /** Choices the answer has. */
  choices: number;
  beams: boolean;
  /** Whether all hypotheses of a beam search are given. */
  hypotheses: boolean;
  logprobs: boolean;
  includeUsage: boolean;
}

/** As the engine has it. */
const maxSchemaLength = 65_536;

/**
 * With beams `n` answers are the best n hypotheses of one search; otherwise
 * they are n generations, answer i with seed + i where a seed is given.
 * @throws HttpError invalid_prompt, invalid_value
 */
export function planChat(body: ChatRequest): Plan {
  const { question, pictures } = toQuestion(body);
  const decoding = { ...toDecodingParams(body), jsonSchema: toJsonSchema(body.response_format) };
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
    rounds: question.rounds,
    pictures,
    choices: n,
    beams: beams > 1,
    hypotheses,
    logprobs: body.logprobs ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

/** The schema an answer must be valid under, as JSON text; undefined for plain text. */
function toJsonSchema(format: ChatRequest["response_format"]): string | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return JSON.stringify({ type: "object" });
  const param = "response_format.json_schema.schema";
  let text: string;
  try {
    text = JSON.stringify(format.json_schema.schema ?? { type: "object" });
  } catch (cause) {
    // A stack overflow: nested deeper than any schema is.
    throw new HttpError("invalid_value", `${param}: nested too deeply`, { param, cause });
  }
  if (text.length <= maxSchemaLength) return text;
  throw invalid(param, `want at most ${maxSchemaLength} characters, got ${text.length}`);
}

function withSeed(decoding: DecodingParams, index: number): DecodingParams {
  return decoding.seed === undefined ? decoding : { ...decoding, seed: decoding.seed + index };
}

function invalid(param: string, message: string): HttpError {
  return new HttpError("invalid_value", `${param}: ${message}`, { param });
}
