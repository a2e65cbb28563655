/** An answer as its events make it: the one fold over a stream. */
import { TinyGptvError } from "./errors.ts";
import type {
  AnswerToken,
  Beam,
  Box,
  FinishReason,
  GenerateEvent,
  Hypothesis,
  ImageInfo,
  Timings,
  Usage,
} from "./events.ts";

/** What is known of an answer; while it grows, what comes with its end is absent. */
export interface Answer {
  /** The level that answers, also where the request named none. */
  model?: string;
  promptText: string;
  images: ImageInfo[];
  /** Of a beam search: of the best hypothesis so far. */
  text: string;
  tokens: AnswerToken[];
  /** Beam search while it runs: best first, revised with every event. */
  beams: Beam[];
  hypotheses: Hypothesis[];
  /** Those of the best hypothesis. */
  boxes: Box[];
  finishReason?: FinishReason;
  usage?: Usage;
  timings?: Timings;
  /** Sampling: the seed it ran with, drawn or given. */
  seed?: number;
}

/** An answer whose last event has arrived. */
export type FinishedAnswer = Answer &
  Required<Pick<Answer, "model" | "finishReason" | "usage" | "timings">>;

/** What the fold over events begins with. */
export const noAnswer: Readonly<Answer> = {
  promptText: "",
  images: [],
  text: "",
  tokens: [],
  beams: [],
  hypotheses: [],
  boxes: [],
};

/** The answer after one more event: another object, which shares with the earlier one what has not changed. */
export function grown<Grown extends Answer>(answer: Grown, event: GenerateEvent): Grown {
  switch (event.type) {
    case "start": {
      const { type: _type, ...start } = event;
      return { ...answer, ...start };
    }
    case "token":
      return { ...answer, tokens: [...answer.tokens, event.token] };
    case "delta":
      return { ...answer, text: answer.text + event.text };
    case "beams":
      return { ...answer, beams: event.hypotheses, text: event.hypotheses[0]?.text ?? "" };
    case "end": {
      const { type: _type, seed, ...end } = event;
      const { text, tokens, boxes, finishReason } = event.hypotheses[0]!;
      const best = { text, tokens, boxes, finishReason };
      return { ...answer, ...end, ...best, ...(seed !== undefined && { seed }) };
    }
  }
}

/**
 * The answer at the end of its stream.
 * @throws TinyGptvError "engine" where the stream ends before the answer does, and whatever the stream throws
 */
export async function answerOf(events: AsyncIterable<GenerateEvent>): Promise<FinishedAnswer> {
  let answer: Answer = noAnswer;
  for await (const event of events) {
    // What came in pieces is in the end as a whole; gathering it would take time squared.
    if (event.type === "start" || event.type === "end") answer = grown(answer, event);
  }
  if (isFinished(answer)) return answer;
  throw new TinyGptvError("engine", "answer: want a start and an end, got a stream without");
}

/** Whether the last event has arrived. */
export function isFinished(answer: Answer): answer is FinishedAnswer {
  return answer.model !== undefined && answer.usage !== undefined;
}
