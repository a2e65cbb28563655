import type { AnswerToken, GenerateEvent } from "@tinygptv/protocol";
import { beamsEventName } from "@tinygptv/protocol/http";
import type { ChatChunk } from "@tinygptv/protocol/http";
import { interleave } from "../interleave.ts";
import type { SseEvent } from "../sse.ts";
import { toFinished, toHypothesis, toImages, toChoiceLogprobs, toUsage } from "./answer.ts";
import type { EndEvent, StartEvent } from "./answer.ts";
import type { Identity } from "./complete.ts";
import type { Plan } from "./plan.ts";

type ChunkChoice = ChatChunk["choices"][number];
type ChunkContent = Pick<ChatChunk, "choices" | "tinygptv"> & { usage?: ChatChunk["usage"] };

/**
 * The answer as OpenAI's chunks. Every `data:` line is a valid chunk, whatever
 * event name it travels under, since OpenAI's clients take all of them for one:
 *
 * - with beams the current hypotheses come as `tinygptv.beams` events without
 *   choices, and the final texts as one delta a choice at the end;
 * - what we have to say beyond OpenAI's fields is in further fields.
 *
 * `[DONE]` comes only after a complete answer.
 */
export async function* streamChat(
  runs: readonly AsyncIterable<GenerateEvent>[],
  plan: Plan,
  identity: Identity,
): AsyncGenerator<SseEvent> {
  for await (const { choices, tinygptv, usage } of chunks(runs, plan)) {
    const chunk: ChatChunk = {
      ...identity,
      object: "chat.completion.chunk",
      choices,
      ...(plan.includeUsage ? { usage: usage ?? null } : {}),
      ...(tinygptv ? { tinygptv } : {}),
    };
    const data = JSON.stringify(chunk);
    yield tinygptv?.event === "beams" ? { event: beamsEventName, data } : { data };
  }
  yield { data: "[DONE]" };
}

async function* chunks(
  runs: readonly AsyncIterable<GenerateEvent>[],
  plan: Plan,
): AsyncGenerator<ChunkContent> {
  const ends: EndEvent[] = [];
  /** Per run, tokens whose text is not out yet: a character may span several, a stop text may have begun. */
  const unsent = runs.map((): AnswerToken[] => []);
  let start: StartEvent | undefined;

  const choice = (
    index: number,
    delta: ChunkChoice["delta"],
    tokens: readonly AnswerToken[] = [],
  ): ChunkChoice => ({
    index,
    delta,
    logprobs: toChoiceLogprobs(tokens, plan.logprobs && tokens.length > 0),
    finish_reason: null,
  });

  for await (const { source, item: event } of interleave(runs)) {
    // A beam search is one run with several choices; otherwise each run is a choice.
    const indices = plan.beams ? Array.from({ length: plan.choices }, (_, rank) => rank) : [source];
    switch (event.type) {
      case "start":
        for (const index of indices) {
          const content = { choices: [choice(index, { role: "assistant", content: "" })] };
          yield start ? content : { ...content, tinygptv: startExtension(event) };
          start ??= event;
        }
        break;
      case "token":
        unsent[source]!.push(event.token);
        break;
      case "delta":
        yield { choices: [choice(source, { content: event.text }, unsent[source]!.splice(0))] };
        break;
      case "beams":
        yield { choices: [], tinygptv: { event: "beams", hypotheses: event.hypotheses } };
        break;
      case "end":
        ends.push(event);
        for (const [rank, index] of indices.entries()) {
          const hypothesis = event.hypotheses[rank]!;
          if (plan.beams)
            yield { choices: [choice(index, { content: hypothesis.text }, hypothesis.tokens)] };
          const finished = toFinished(hypothesis, start!.images, event);
          yield {
            choices: [{ ...choice(index, {}, unsent[source]!.splice(0)), ...finished }],
            tinygptv: endExtension(event, plan),
          };
        }
    }
  }
  if (plan.includeUsage) yield { choices: [], usage: toUsage(start!.images, ends) };
}

function startExtension({ promptText, images }: StartEvent): ChatChunk["tinygptv"] {
  return { event: "start", prompt: promptText, images: toImages(images) };
}

function endExtension({ hypotheses }: EndEvent, plan: Plan): ChatChunk["tinygptv"] {
  if (!plan.hypotheses) return { event: "end" };
  return { event: "end", hypotheses: hypotheses.map((one) => toHypothesis(one, plan.logprobs)) };
}
