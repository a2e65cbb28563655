/** What every decoding method is given, tells while it runs, and returns. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { FinishReason } from "@tinygptv/protocol";
import type { LogitsProcessor } from "./logitsProcessors.ts";
import { logSumExp, topLogprobs } from "./logSoftmax.ts";
import type { RankedToken } from "./logSoftmax.ts";
import type { ForwardRow, LanguageModel, Sequence, SequenceStore } from "./sequence.ts";
import { anyOf, endTokens } from "./stopping.ts";
import type { StoppingCriterion } from "./stopping.ts";

/**
 * Where a decoder starts. Sequences it forks it also releases, however it
 * ends; `sequence` stays the caller's. Afterwards it still begins with the
 * prompt, so it can be cut there and kept as a prefix cache; after greedy and
 * sampling it holds the prompt and the answer but for its last token.
 */
export interface DecodingInput {
  readonly model: SequenceStore & Pick<LanguageModel, "vocabularySize" | "contextLength">;
  /** Empty, or holding the part of the prompt that was cached. */
  readonly sequence: Sequence;
  /** The rest of the prompt, at least one position. */
  readonly prompt: ForwardRow["input"];
  /** First tokens of the answer, given beforehand. */
  readonly answerPrefix?: readonly number[];
  /** Put in front of the history that processors and stopping criteria see; the model never sees it. */
  readonly beginTokenId: number;
  readonly endTokenIds: readonly number[];
  /** Further ends, beside `endTokenIds`: the decoding's `stop` texts. */
  readonly isStopped: StoppingCriterion;
  /** Every way the tokenizer spells each of the decoding's `badWords`. */
  readonly badWordIds: readonly (readonly number[])[];
  /** Leaves the tokens that the decoding's `jsonSchema` allows (see json/constrain.ts). */
  readonly constraint?: LogitsProcessor;
  /** Tokens that may come next after a history, to be checked in one forward pass (see promptLookup.ts). */
  readonly draft?: (tokens: readonly number[]) => readonly number[];
  readonly emit?: (event: DecodingEvent) => void;
}

export interface DecodedToken {
  readonly id: number;
  /** Under the model itself, before any processor; where asked for. */
  readonly logprob?: number;
  /** The most probable tokens at this place, best first; where asked for. */
  readonly top?: readonly RankedToken[];
}

/** The tokens that a decoder came to. */
export interface DecodedAnswer {
  /** The end token, or the tokens of the stop text, are still there. */
  readonly tokens: readonly DecodedToken[];
  readonly finishReason: FinishReason;
  /** Beam search: sum of processed log-probabilities / length^lengthPenalty. */
  readonly score?: number;
}

export type DecodingEvent =
  /** Greedy and sampling: one more token. */
  | { type: "token"; token: DecodedToken }
  /** Beam search: the answers it would return if it ended now, best first. */
  | { type: "beams"; answers: readonly DecodedAnswer[] };

export interface LogprobOptions {
  readonly logprobs: boolean;
  readonly topLogprobs: number;
}

/** Describes tokens that may come where the model gave `logits`. */
export function tokenDescriber(
  logits: Float32Array,
  { logprobs, topLogprobs: count }: LogprobOptions,
): (id: number) => DecodedToken {
  if (!logprobs) return (id) => ({ id });
  const total = logSumExp(logits);
  const top = count > 0 ? { top: topLogprobs(logits, count, total) } : {};
  return (id) => ({ id, logprob: logits[id]! - total, ...top });
}

/** `logits` after all processors, in `scratch`; the model's own stay as they are. */
export function processed(
  logits: Float32Array,
  tokens: readonly number[],
  processors: readonly LogitsProcessor[],
  scratch: Float32Array,
): Float32Array {
  if (processors.length === 0) return logits;
  scratch.set(logits);
  for (const process of processors) process(scratch, tokens);
  return scratch;
}

/** Logits [positions, vocabulary] as one row a position. */
export function splitPositions(logits: Float32Array, vocabularySize: number): Float32Array[] {
  return Array.from({ length: logits.length / vocabularySize }, (_, i) =>
    logits.subarray(i * vocabularySize, (i + 1) * vocabularySize),
  );
}

/** Everything that ends an answer. */
export function endOf({ endTokenIds, isStopped }: DecodingInput): StoppingCriterion {
  return anyOf([endTokens(endTokenIds), isStopped]);
}

/**
 * How long an answer can get: the last token takes no position.
 * @throws TinyGptvError `parameter` where the given first tokens alone are longer.
 */
export function answerLimit(
  maxNewTokens: number,
  contextLength: number,
  promptLength: number,
  answerPrefix: readonly number[],
): number {
  const limit = Math.min(maxNewTokens, contextLength - promptLength + 1);
  if (answerPrefix.length > limit) {
    throw new TinyGptvError(
      "parameter",
      `answerPrefix: want at most ${limit} tokens, got ${answerPrefix.length}`,
      { subject: "answerPrefix" },
    );
  }
  return limit;
}

/** The error for scores without a single choice left. */
export function nothingLeft(scores: Float32Array): TinyGptvError {
  if (scores.some(Number.isNaN)) return new TinyGptvError("model", "logits: want numbers, got NaN");
  return new TinyGptvError(
    "parameter",
    `logits: want a token to choose from, got none of ${scores.length}: penalties and bans leave nothing`,
  );
}
