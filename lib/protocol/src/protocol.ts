/**
 * Requests and stream events, shared by engine, endpoint, command line and
 * playground. Nothing here needs Node or ONNX Runtime.
 */
import { z } from "zod";

/** Task tags of the published training set; the tag is put first in the user's text. */
export const tasks = ["vqa", "caption", "refer", "identify", "grounding", "detection"] as const;
export type Task = (typeof tasks)[number];

/**
 * Prompt templates of the reference:
 * - `stage4`: the stage-4 demo (`<s>[INST] <Img><ImageHere></Img> … [/INST]`)
 * - `stage3`: the demo of stages 1 to 3, with its system text (`###Human: … ###Assistant: `)
 * - `evaluation`: evaluation by generation (`###Human: <Img><ImageHere></Img> …###Assistant: `)
 * - `choice`: evaluation by choice (as `evaluation`, a space before the second `###`)
 * - `raw`: the text as it is; `<ImageHere>` marks the places of the pictures
 */
export const templates = ["stage4", "stage3", "evaluation", "choice", "raw"] as const;
export type Template = (typeof templates)[number];

export const decodingMethods = ["greedy", "sample", "beam"] as const;
export type DecodingMethod = (typeof decodingMethods)[number];

const integer = (min: number, max: number) => z.number().int().min(min).max(max);

/**
 * Decoding parameters as callers give them: all optional, none unknown.
 * `resolveDecoding` in `decoding/` infers the method where it is not given,
 * fills in `decodingDefaults` and rejects what does not belong to the method.
 */
export const decodingParamsSchema = z.strictObject({
  method: z.enum(decodingMethods).optional(),
  maxNewTokens: integer(1, 4096).optional(),
  /** End tokens are blocked before so many tokens; a stop text spelled by other tokens still ends the answer. */
  minNewTokens: integer(0, 4096).optional(),
  /** Generation ends before any of these texts; they never appear in the answer. */
  stop: z.array(z.string().min(1).max(256)).max(16).optional(),
  badWords: z.array(z.string().min(1).max(256)).max(256).optional(),
  /** Token id -> number added to its logit. */
  logitBias: z.record(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100)).optional(),
  /** Above 1: tokens of the answer (and the begin token) become less likely; the prompt's do not. */
  repetitionPenalty: z.number().min(0.01).max(10).optional(),
  /** Subtracted once from the logit of every token of the answer. */
  presencePenalty: z.number().min(-2).max(2).optional(),
  /** Subtracted from the logit of a token once for each time it occurs in the answer. */
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  noRepeatNgramSize: integer(0, 64).optional(),
  /**
   * A JSON Schema, as JSON text: the answer is valid under it. It then ends with
   * its last character, so neither `stop` nor `minNewTokens` goes with it.
   */
  jsonSchema: z.string().max(65_536).optional(),
  /** Return the log-probability of every token of the answer. */
  logprobs: z.boolean().optional(),
  /** Return the most probable alternatives at every token (and the log-probabilities). */
  topLogprobs: integer(0, 20).optional(),
  // method "sample"
  temperature: z.number().min(0.001).max(100).optional(),
  topK: integer(0, 100_000).optional(),
  topP: z.number().min(0.001).max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
  /** The same seed gives the same text; drawn and reported back where it is not given. */
  seed: integer(0, Number.MAX_SAFE_INTEGER).optional(),
  // method "beam"
  numBeams: integer(1, 16).optional(),
  lengthPenalty: z.number().min(-10).max(10).optional(),
  earlyStopping: z.union([z.boolean(), z.literal("never")]).optional(),
  numReturnSequences: integer(1, 16).optional(),
});
export type DecodingParams = z.infer<typeof decodingParamsSchema>;

/** Parameters that belong to one method; all others go with every method. */
export const methodParams = {
  greedy: [],
  sample: ["temperature", "topK", "topP", "minP", "seed"],
  beam: ["numBeams", "lengthPenalty", "earlyStopping", "numReturnSequences"],
} as const satisfies Record<DecodingMethod, readonly (keyof DecodingParams)[]>;

/** What a parameter is where the caller leaves it out; `seed` is drawn. */
export const decodingDefaults = {
  maxNewTokens: 300,
  minNewTokens: 0,
  stop: ["###"],
  badWords: [],
  logitBias: {},
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  noRepeatNgramSize: 0,
  logprobs: false,
  topLogprobs: 0,
  temperature: 1,
  topK: 50,
  topP: 1,
  minP: 0,
  numBeams: 4,
  lengthPenalty: 1,
  earlyStopping: false,
  numReturnSequences: 1,
} as const satisfies DecodingParams;

/**
 * Settings of the reference: its two demos and its evaluation script. The
 * demos' further stop ids are numbers of another tokenizer and are left out.
 */
export const decodingPresets = {
  greedy: { method: "greedy" },
  demoStage3: {
    method: "sample",
    temperature: 1,
    topP: 0.9,
    topK: 50,
    repetitionPenalty: 1.05,
    maxNewTokens: 300,
  },
  demoStage4: {
    method: "sample",
    temperature: 0.6,
    topP: 0.9,
    topK: 50,
    repetitionPenalty: 1.05,
    maxNewTokens: 500,
  },
  evaluation: { method: "greedy", maxNewTokens: 20 },
} as const satisfies Record<string, DecodingParams>;

/** One exchange of a conversation; the last one has no answer yet. */
export const roundSchema = z.strictObject({
  prompt: z.string(),
  /** How many of the request's pictures, in order, belong to this round; they go before its text. */
  images: integer(0, 16).optional(),
  answer: z.string().optional(),
});
export type Round = z.infer<typeof roundSchema>;

/** One request to a model, without its pictures (bytes travel beside it). */
export const generateRequestSchema = z.strictObject({
  rounds: z.array(roundSchema).min(1).max(64),
  task: z.enum(tasks).optional(),
  template: z.enum(templates).optional(),
  decoding: decodingParamsSchema.optional(),
  /** The answer must continue these tokens (a branch taken in the playground). */
  answerPrefix: z.array(integer(0, 1_000_000)).max(4096).optional(),
  /** How pictures are read: for people (EXIF applied, alpha over white) or as the reference does. */
  imageMode: z.enum(["display", "reference"]).optional(),
});
export type GenerateRequest = z.infer<typeof generateRequestSchema>;

export type FinishReason = "stop" | "length" | "abort" | "error";

export interface TokenAlternative {
  id: number;
  text: string;
  logprob: number;
}

export interface AnswerToken {
  id: number;
  /** What the token decodes to on its own (U+FFFD where it is part of a character). */
  text: string;
  /** Natural logarithm of its probability under the model, before any processor. */
  logprob?: number;
  top?: TokenAlternative[];
}

/** A rectangle found in an answer. */
export interface Box {
  /** The phrase it belongs to, "" where the answer names none. */
  phrase: string;
  /** Corners as the model wrote them, 0 to 100 of width and height. */
  percent: [x1: number, y1: number, x2: number, y2: number];
  /** The same in pixels of the original picture. */
  pixels: [x1: number, y1: number, x2: number, y2: number];
  /** Which of the request's pictures; the last one before the answer. */
  image: number;
}

export interface ImageInfo {
  /** sha256 of the picture's bytes, hex. */
  hash: string;
  /** Size of the original picture, after EXIF rotation where it is applied. */
  width: number;
  height: number;
  /** Whether the vision encoder was skipped because its features were at hand. */
  cached: boolean;
}

export interface Hypothesis {
  text: string;
  tokens: AnswerToken[];
  finishReason: FinishReason;
  /** Beam search: sum of log-probabilities / length^lengthPenalty. */
  score?: number;
}

export interface Usage {
  promptTokens: number;
  imageTokens: number;
  completionTokens: number;
  /** Prompt positions that came from the prefix cache. */
  cachedTokens: number;
}

/** Milliseconds. */
export interface Timings {
  queue: number;
  image: number;
  prefill: number;
  decode: number;
  total: number;
}

/** What a request yields, in order: one `start`, then tokens and deltas or beams, then one `end`. */
export type GenerateEvent =
  | {
      type: "start";
      /** `name:level` that answers; where none was asked for, the default one. */
      model: string;
      promptText: string;
      images: ImageInfo[];
      promptTokens: number;
      imageTokens: number;
    }
  | { type: "token"; token: AnswerToken }
  /** Text to append; never cuts a character, never shows part of a stop text. */
  | { type: "delta"; text: string }
  /** Beam search: the current hypotheses, best first; replaces what was shown before. */
  | { type: "beams"; hypotheses: { text: string; score: number }[] }
  | {
      type: "end";
      hypotheses: Hypothesis[];
      boxes: Box[];
      usage: Usage;
      timings: Timings;
      /** The seed a sampling ran with, drawn or given. */
      seed?: number;
    };

/** Candidates to score after a prompt, teacher-forced. */
export const scoreRequestSchema = z.strictObject({
  rounds: z.array(roundSchema).min(1).max(64),
  task: z.enum(tasks).optional(),
  template: z.enum(templates).optional(),
  imageMode: z.enum(["display", "reference"]).optional(),
  candidates: z.array(z.string()).min(1).max(256),
  /** Return the most probable alternatives at every token. */
  topLogprobs: integer(0, 20).optional(),
  /** Put after every candidate; the reference's `multi_select` uses a newline. */
  endSymbol: z.string().max(64).optional(),
});
export type ScoreRequest = z.infer<typeof scoreRequestSchema>;

export interface CandidateScore {
  text: string;
  tokens: AnswerToken[];
  /** Mean of the tokens' log-probabilities, end symbol included. */
  meanLogprob: number;
}

export interface ScoreResult {
  candidates: CandidateScore[];
  /** Candidate indices, most probable (largest mean) first. */
  ranks: number[];
  images: ImageInfo[];
}
