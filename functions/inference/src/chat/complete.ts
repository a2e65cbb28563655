import type { GenerateEvent } from "@tinygptv/protocol";
import type { ChatResponse } from "@tinygptv/protocol/http";
import { toFinished, toHypothesis, toChoiceLogprobs, toUsage } from "./answer.ts";
import type { EndEvent, StartEvent } from "./answer.ts";
import type { Plan } from "./plan.ts";

/** What identifies an answer. */
export interface Identity {
  id: string;
  /** Unix seconds. */
  created: number;
  /** Full id. */
  model: string;
}

/** The whole answer of a request that does not stream. */
export async function complete(
  runs: readonly AsyncIterable<GenerateEvent>[],
  plan: Plan,
  identity: Identity,
): Promise<ChatResponse> {
  const answers = await Promise.all(runs.map(lastEvents));
  const { start } = answers[0]!;
  const choices = answers
    .flatMap(({ end }) => end.hypotheses.map((hypothesis) => ({ hypothesis, end })))
    .slice(0, plan.choices)
    .map(({ hypothesis, end }, index) => ({
      index,
      message: { role: "assistant" as const, content: hypothesis.text, refusal: null },
      logprobs: toChoiceLogprobs(hypothesis.tokens, plan.logprobs),
      ...toFinished(hypothesis, start.images, end),
    }));
  return {
    ...identity,
    object: "chat.completion",
    choices,
    usage: toUsage(
      start.images,
      answers.map(({ end }) => end),
    ),
    tinygptv: {
      prompt: start.promptText,
      ...(plan.hypotheses
        ? { hypotheses: answers[0]!.end.hypotheses.map((one) => toHypothesis(one, plan.logprobs)) }
        : {}),
    },
  };
}

async function lastEvents(
  events: AsyncIterable<GenerateEvent>,
): Promise<{ start: StartEvent; end: EndEvent }> {
  let start: StartEvent | undefined;
  let end: EndEvent | undefined;
  for await (const event of events) {
    if (event.type === "start") start = event;
    if (event.type === "end") end = event;
  }
  if (!start || !end) throw new Error("the engine's events ended without start or end");
  return { start, end };
}
