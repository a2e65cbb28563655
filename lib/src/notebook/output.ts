/**
 * What a cell produced: one run per combination of level and parameters, one
 * answer per round. Built by folding events, so that a page can show it grow
 * and a file can keep it.
 */
import type { z } from "zod";
import type { axisValueSchema } from "./cell.ts";
import type {
  AnswerToken,
  Box,
  DecodingParams,
  FinishReason,
  GenerateEvent,
  GenerateRequest,
  Hypothesis,
  ImageInfo,
  Timings,
  Usage,
} from "../protocol.ts";
import type { ErrorCode } from "../errors.ts";

export interface Answer {
  /** The request that led to it; pictures by their place in `Run.pictures`. */
  request: GenerateRequest;
  promptText: string;
  text: string;
  tokens: AnswerToken[];
  /** Beam search while it runs: best first, revised with every event. */
  beams: { text: string; score: number }[];
  hypotheses: Hypothesis[];
  boxes: Box[];
  images: ImageInfo[];
  finishReason?: FinishReason;
  usage?: Usage;
  timings?: Timings;
  /** Sampling: the seed it ran with, drawn or given. */
  seed?: number;
}

export type RunState = "waiting" | "running" | "done" | "stopped" | "error";

export interface RunError {
  code: ErrorCode;
  message: string;
}

/** One way of asking: a level and a set of parameters. */
export interface Run {
  label: string;
  model?: string;
  decoding: DecodingParams;
  /** Where it lies in a sweep: parameter -> value. */
  coordinates: Record<string, z.infer<typeof axisValueSchema>>;
  /** Names of the picture cells it was given, in order. */
  pictures: string[];
  state: RunState;
  answers: Answer[];
  error?: RunError;
  /** Evaluation: what was expected, and whether the answer met it. */
  expected?: string;
  correct?: boolean;
}

/** An answer of one run, scored under the level of another, teacher-forced. */
export interface CrossScore {
  /** Index of the run whose answer it is. */
  answer: number;
  /** Index of the run whose level scored it. */
  under: number;
  meanLogprob: number;
  tokens: AnswerToken[];
}

export interface Output {
  /** Fingerprint of the inputs it was made from. */
  inputs: string;
  /** ISO time of the start. */
  at: string;
  runs: Run[];
  scores: CrossScore[];
  /** Why there are no scores, where they were wanted. */
  scoreError?: RunError;
}

export type OutputEvent =
  | { type: "plan"; runs: Run[] }
  | { type: "answer"; run: number; request: GenerateRequest }
  | { type: "generate"; run: number; event: GenerateEvent }
  | { type: "run"; run: number; state: RunState; error?: RunError; correct?: boolean }
  | { type: "scores"; scores: CrossScore[]; error?: RunError };

/** Adds one event to an output, in place: a page's reactive object stays the same object. */
export function applyEvent(output: Output, event: OutputEvent): void {
  switch (event.type) {
    case "plan":
      output.runs = event.runs;
      output.scores = [];
      return;
    case "answer":
      output.runs[event.run]?.answers.push(emptyAnswer(event.request));
      return;
    case "generate": {
      const answer = output.runs[event.run]?.answers.at(-1);
      if (answer !== undefined) applyGenerateEvent(answer, event.event);
      return;
    }
    case "run": {
      const run = output.runs[event.run];
      if (run === undefined) return;
      run.state = event.state;
      if (event.error !== undefined) run.error = event.error;
      if (event.correct !== undefined) run.correct = event.correct;
      return;
    }
    case "scores":
      output.scores = event.scores;
      if (event.error !== undefined) output.scoreError = event.error;
  }
}

export function emptyAnswer(request: GenerateRequest): Answer {
  return {
    request,
    promptText: "",
    text: "",
    tokens: [],
    beams: [],
    hypotheses: [],
    boxes: [],
    images: [],
  };
}

/** Adds one event of a stream to an answer, in place. */
export function applyGenerateEvent(answer: Answer, event: GenerateEvent): void {
  switch (event.type) {
    case "start":
      answer.promptText = event.promptText;
      answer.images = event.images;
      return;
    case "token":
      answer.tokens.push(event.token);
      return;
    case "delta":
      answer.text += event.text;
      return;
    case "beams":
      answer.beams = event.hypotheses;
      answer.text = event.hypotheses[0]?.text ?? "";
      return;
    case "end": {
      const best = event.hypotheses[0];
      answer.hypotheses = event.hypotheses;
      answer.boxes = event.boxes;
      answer.usage = event.usage;
      answer.timings = event.timings;
      if (event.seed !== undefined) answer.seed = event.seed;
      if (best === undefined) return;
      answer.text = best.text;
      answer.tokens = best.tokens;
      answer.finishReason = best.finishReason;
    }
  }
}

/** The text a run ended with: the answer of its last round. */
export const finalText = (run: Run): string => run.answers.at(-1)?.text ?? "";
