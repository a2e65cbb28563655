/**
 * What a cell produced: one run per combination of level and parameters, one
 * answer per round. Built by folding events, so that a page can show it grow
 * and a file can keep it.
 */
import type { z } from "zod";
import type { axisValueSchema } from "./cell.ts";
import { grown, noAnswer } from "@tinygptv/protocol";
import type {
  Answer as AnyAnswer,
  AnswerToken,
  DecodingParams,
  ErrorCode,
  GenerateEvent,
  GenerateRequest,
} from "@tinygptv/protocol";

/** An answer and the request that led to it; pictures by their place in `Run.pictures`. */
export interface Answer extends AnyAnswer {
  request: GenerateRequest;
}

/** How far a run is. */
export type RunState = "waiting" | "running" | "done" | "stopped" | "error";

/** Why a run has no answer, or only the beginning of one. */
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

/** What one run of a cell came to. */
export interface Output {
  /** Fingerprint of the inputs it was made from. */
  inputs: string;
  /** ISO time of the start. */
  at: string;
  runs: Run[];
  scores: CrossScore[];
  /** Why there are no scores, where they were wanted. */
  scoreError?: RunError;
  /** In files only: the cell's other outputs (`kept.ts`). */
  others?: Output[];
}

/** What happens while a cell runs; a fold over it is its output. */
export type OutputEvent =
  | { type: "plan"; runs: Run[] }
  | { type: "answer"; run: number; request: GenerateRequest }
  | { type: "generate"; run: number; event: GenerateEvent }
  | { type: "run"; run: number; state: RunState; error?: RunError; correct?: boolean }
  | { type: "scores"; scores: CrossScore[]; error?: RunError };

/** The output after one more event. It shares with the earlier one what the event did not change; nothing changes in place. */
export function applyEvent(output: Output, event: OutputEvent): Output {
  switch (event.type) {
    case "plan":
      return { ...output, runs: event.runs, scores: [] };
    case "answer":
      return withRun(output, event.run, (run) => ({
        ...run,
        answers: [...run.answers, emptyAnswer(event.request)],
      }));
    case "generate":
      return withRun(output, event.run, (run) => ({
        ...run,
        answers: run.answers.map((answer, i) =>
          i === run.answers.length - 1 ? grown(answer, event.event) : answer,
        ),
      }));
    case "run": {
      const { type: _type, run: index, ...changed } = event;
      return withRun(output, index, (run) => ({ ...run, ...changed }));
    }
    case "scores":
      return {
        ...output,
        scores: event.scores,
        ...(event.error !== undefined && { scoreError: event.error }),
      };
  }
}

const withRun = (output: Output, index: number, change: (run: Run) => Run): Output => ({
  ...output,
  runs: output.runs.map((run, i) => (i === index ? change(run) : run)),
});

/** An answer of which nothing has arrived yet. */
export const emptyAnswer = (request: GenerateRequest): Answer => ({ ...noAnswer, request });

/** The level behind a run: the one that answered, or the one that was asked. */
export const levelOf = (run: Run): string | undefined => run.answers.at(-1)?.model ?? run.model;

/** The output after a picture cell it was made with got another name. */
export const outputRenamed = (output: Output, from: string, to: string): Output => ({
  ...output,
  runs: output.runs.map((run) => ({
    ...run,
    pictures: run.pictures.map((name) => (name === from ? to : name)),
  })),
});

/** The text a run ended with: the answer of its last round. */
export const finalText = (run: Run): string => run.answers.at(-1)?.text ?? "";
