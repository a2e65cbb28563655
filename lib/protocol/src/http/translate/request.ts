/** Requests in the library's words and over HTTP. */
import type { DecodingParams } from "../../decoding/parameters.ts";
import { TinyGptvError } from "../../errors.ts";
import { renamed, type NameOf } from "../../names.ts";
import type { GenerateRequest, ScoreRequest } from "../../request.ts";
import type { ChatRequest } from "../chat.ts";
import { maxCompareRuns, type CompareRequest } from "../compare.ts";
import { fromHttpDecoding, toHttpDecoding, type DecodingParameters } from "../decoding.ts";
import type { ScoreHttpRequest } from "../inspect.ts";
import type { PromptFields } from "../messages.ts";
import { fromMessages, toMessages, type PictureReference } from "./messages.ts";
import { namesIn } from "./names.ts";

/** What is to be done for a request. */
interface Asked<Request> {
  requests: Request[];
  /** In the order of the rounds. */
  pictures: PictureReference[];
  /** What the caller calls the things that errors name. */
  nameOf: NameOf;
}

/** What a chat request asks of the engine, and how its answer is to be written. */
export interface ChatPlan extends Asked<GenerateRequest> {
  /** Choices the answer has; without beams each is a request, and they differ in their seed only. */
  choices: number;
  beams: boolean;
  /** Whether all hypotheses of a beam search are given. */
  hypotheses: boolean;
  logprobs: boolean;
  includeUsage: boolean;
}

/** @param pictures references to the request's pictures, in order */
function toPromptFields(
  { rounds, task, template, imageMode }: Omit<ScoreRequest, "candidates">,
  pictures: readonly string[],
): PromptFields {
  return {
    messages: toMessages(rounds, pictures),
    ...(task !== undefined && { task }),
    ...(template !== undefined && { template }),
    ...(imageMode !== undefined && { image_mode: imageMode }),
  };
}

/**
 * A request for a stream in HTTP's words.
 * @param pictures references to the request's pictures, in order
 * @param model the level asked, undefined for the server's default one
 */
export function toChatRequest(
  request: GenerateRequest,
  pictures: readonly string[],
  model: string | undefined,
): ChatRequest {
  const { answerPrefix, decoding = {} } = request;
  return {
    ...(model !== undefined && { model }),
    ...toPromptFields(request, pictures),
    ...(answerPrefix !== undefined && { answer_prefix: answerPrefix }),
    ...toHttpDecoding(decoding),
    // All of a search's hypotheses come back, or none; the reader keeps as many as were asked for.
    ...((decoding.numReturnSequences ?? 1) > 1 && { return_hypotheses: true }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** A request for scores in HTTP's words. */
export function toScoreRequest(
  request: ScoreRequest,
  pictures: readonly string[],
  model: string | undefined,
): ScoreHttpRequest {
  const { candidates, endSymbol, topLogprobs } = request;
  return {
    ...(model !== undefined && { model }),
    ...toPromptFields(request, pictures),
    candidates,
    ...(endSymbol !== undefined && { end_symbol: endSymbol }),
    ...(topLogprobs !== undefined && { top_logprobs: topLogprobs }),
  };
}

/**
 * The generations a chat takes. With beams `n` answers are the best n
 * hypotheses of one search; otherwise they are n generations, answer i with
 * seed + i where a seed is given.
 * @throws TinyGptvError "prompt", "parameter", naming the field
 */
export function fromChatRequest(body: ChatRequest): ChatPlan {
  const { question, pictures, nameOf } = fromPromptFields(body);
  const decoding = fromHttpDecoding(body);
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
    nameOf,
    choices: n,
    beams: beams > 1,
    hypotheses,
    logprobs: body.logprobs ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

/**
 * The requests of a comparison, one per parameter set. Beam searches return all their hypotheses.
 * @throws TinyGptvError "prompt", "parameter", naming the field
 */
export function fromCompareRequest(body: CompareRequest): Asked<GenerateRequest> {
  const { question, pictures, nameOf } = fromPromptFields(body);
  const sets = body.parameter_sets ?? [{}];
  const runs = sets.length * body.models.length;
  if (runs > maxCompareRuns)
    throw invalid("models", `want at most ${maxCompareRuns} answers in all, got ${runs}`);
  const requests = sets.map((set, index): GenerateRequest => ({
    ...question,
    answerPrefix: body.answer_prefix,
    decoding: {
      ...fromSet(set, index),
      ...((set.num_beams ?? 1) > 1 ? { numReturnSequences: set.num_beams } : {}),
    },
  }));
  return { requests, pictures, nameOf };
}

/** @throws TinyGptvError "prompt" naming the message that is out of order */
export function fromScoreRequest(body: ScoreHttpRequest): Asked<ScoreRequest> {
  const { question, pictures, nameOf } = fromPromptFields(body);
  const { candidates, end_symbol: endSymbol, top_logprobs: topLogprobs } = body;
  return { requests: [{ ...question, candidates, endSymbol, topLogprobs }], pictures, nameOf };
}

function fromPromptFields({ messages, task, template, image_mode: imageMode }: PromptFields) {
  const { rounds, pictures, sources } = fromMessages(messages);
  const question = { rounds, task, template, imageMode };
  return { question, pictures, nameOf: namesIn(messages, sources) };
}

/** Errors in a set name the set. */
function fromSet(set: DecodingParameters, index: number): DecodingParams {
  try {
    return fromHttpDecoding(set);
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    const { message, subject } = renamed(error, (name) => `parameter_sets[${index}].${name}`);
    throw new TinyGptvError(error.code, message, {
      ...(subject !== undefined && { subject }),
      cause: error,
    });
  }
}

function withSeed(decoding: DecodingParams, index: number): DecodingParams {
  const { seed } = decoding;
  if (seed === undefined || index === 0) return decoding;
  // Beyond, numbers stand for several seeds, and the next one may be the same.
  if (!Number.isSafeInteger(seed + index))
    throw invalid("n", `want 1 with a seed of so many digits, got ${index + 1}`);
  return { ...decoding, seed: seed + index };
}

function invalid(subject: string, message: string): TinyGptvError {
  return new TinyGptvError("parameter", `${subject}: ${message}`, { subject });
}
