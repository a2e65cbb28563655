/** A chat's stream: events to OpenAI's chunks, and chunks to events. */
import type { DecodingParams } from "../../decoding/parameters.ts";
import { decodingDefaults } from "../../decoding/parameters.ts";
import { TinyGptvError } from "../../errors.ts";
import type { EndEvent, GenerateEvent, Hypothesis, Usage } from "../../events.ts";
import { beamsEventName, type ChatChunk } from "../chat.ts";
import {
  fromFinishedBeam,
  fromImages,
  fromUsage,
  toFinished,
  toFinishedBeam,
  toImages,
  toUsage,
  type Identity,
} from "./answer.ts";
import type { ChatPlan } from "./request.ts";
import { createTokenDealer, fromLogprob, logprobsOf, toLogprobsField } from "./tokens.ts";

type StartEvent = Extract<GenerateEvent, { type: "start" }>;
type ChunkChoice = ChatChunk["choices"][number];
type Content = Pick<ChatChunk, "choices" | "tinygptv" | "usage">;

/** One server-sent event. */
export interface SseEvent {
  /** The event's name; left out, clients see a plain message. */
  event?: string;
  data: string;
}

/**
 * An answer as OpenAI's chunks. Every `data:` line is a valid chunk, whatever
 * event name it travels under, since OpenAI's clients take all of them for one:
 *
 * - with beams the current hypotheses come as `tinygptv.beams` events without
 *   choices, and the final texts as one delta a choice at the end;
 * - what we have to say beyond OpenAI's fields is in further fields.
 */
export interface ChatStreamWriter {
  /** @param run which of the plan's generations the event is of */
  write(run: number, event: GenerateEvent): SseEvent[];
  /** After a complete answer only. */
  end(): SseEvent[];
}

/** Writes the answer to a plan; `identity` is what all its chunks say. */
export function createChatStreamWriter(plan: ChatPlan, identity: Identity): ChatStreamWriter {
  const dealers = plan.requests.map(createTokenDealer);
  const usages: Usage[] = [];
  let start: StartEvent | undefined;

  const sse = ({ choices, tinygptv, usage }: Content): SseEvent => {
    const chunk: ChatChunk = {
      ...identity,
      object: "chat.completion.chunk",
      choices,
      ...(plan.includeUsage && { usage: usage ?? null }),
      ...(tinygptv && { tinygptv }),
    };
    const data = JSON.stringify(chunk);
    return tinygptv?.event === "beams" ? { event: beamsEventName, data } : { data };
  };
  // A beam search is one run with several choices; otherwise each run is a choice.
  const choicesOf = (run: number) =>
    plan.beams ? Array.from({ length: plan.choices }, (_, rank) => rank) : [run];

  const contents = (run: number, event: GenerateEvent): Content[] => {
    switch (event.type) {
      case "start": {
        const tinygptv = start ? undefined : startExtension(event);
        start ??= event;
        return choicesOf(run).map((index, i) => ({
          choices: [choice(index, { role: "assistant", content: "" })],
          ...(i === 0 && tinygptv && { tinygptv }),
        }));
      }
      case "token":
        dealers[run]!.push(event.token);
        return [];
      case "delta": {
        const tokens = dealers[run]!.advance(event.text);
        const logprobs = plan.logprobs && tokens.length > 0 ? toLogprobsField(tokens) : null;
        return [{ choices: [choice(run, { content: event.text }, logprobs)] }];
      }
      case "beams":
        return [{ choices: [], tinygptv: { event: "beams", hypotheses: event.hypotheses } }];
      case "end":
        usages.push(event.usage);
        return choicesOf(run).flatMap((index, rank) => {
          const hypothesis = event.hypotheses[rank]!;
          const { content, end } = dealers[run]!.end();
          const rest = content.length + end.length > 0 && plan.logprobs;
          const last = choice(index, {}, rest ? toLogprobsField(content, end) : null);
          return [
            ...(plan.beams ? [{ choices: [wholeChoice(index, hypothesis, plan)] }] : []),
            {
              choices: [{ ...last, ...toFinished(hypothesis, event) }],
              tinygptv: endExtension(event, plan),
            },
          ];
        });
    }
  };

  return {
    write: (run, event) => contents(run, event).map(sse),
    end: () => [
      ...(plan.includeUsage ? [sse({ choices: [], usage: toUsage(start!.images, usages) })] : []),
      { data: "[DONE]" },
    ],
  };
}

function choice(
  index: number,
  delta: ChunkChoice["delta"],
  logprobs: ChunkChoice["logprobs"] = null,
): ChunkChoice {
  return { index, delta, logprobs, finish_reason: null };
}

function wholeChoice(index: number, hypothesis: Hypothesis, { logprobs }: ChatPlan): ChunkChoice {
  return choice(index, { content: hypothesis.text }, logprobsOf(hypothesis, logprobs));
}

function startExtension({ promptText, images }: StartEvent): ChatChunk["tinygptv"] {
  return { event: "start", prompt: promptText, images: toImages(images) };
}

function endExtension({ hypotheses }: EndEvent, plan: ChatPlan): ChatChunk["tinygptv"] {
  if (!plan.hypotheses) return { event: "end" };
  return { event: "end", hypotheses: hypotheses.map((one) => toFinishedBeam(one, plan.logprobs)) };
}

/**
 * Chunks of one answer as events; its `end` comes with the usage, in the last chunk.
 * Of the hypotheses there are as many as the request wanted: the endpoint returns all.
 */
export interface ChatStreamReader {
  read(chunk: ChatChunk): GenerateEvent[];
  /** @throws TinyGptvError "network" where the answer has not ended */
  end(): GenerateEvent[];
}

/** Reads the answer to a request with these decoding parameters, chunk by chunk. */
export function createChatStreamReader({
  numReturnSequences = decodingDefaults.numReturnSequences,
}: DecodingParams = {}): ChatStreamReader {
  const answer: Pick<Hypothesis, "text" | "tokens"> = { text: "", tokens: [] };
  let finished: ChunkChoice | undefined;
  let hypotheses: Hypothesis[] | undefined;
  let usage: Usage | undefined;
  return {
    read({ model, choices, tinygptv, usage: counted }) {
      const events: GenerateEvent[] = [];
      if (counted) usage = fromUsage(counted);
      if (tinygptv?.event === "start") {
        const images = fromImages(tinygptv.images);
        events.push({ type: "start", model, promptText: tinygptv.prompt, images });
      }
      if (tinygptv?.event === "beams")
        events.push({
          type: "beams",
          hypotheses: tinygptv.hypotheses.slice(0, numReturnSequences),
        });
      if (tinygptv?.event === "end") hypotheses = tinygptv.hypotheses?.map(fromFinishedBeam);
      const first = choices.find(({ index }) => index === 0);
      if (first === undefined) return events;
      const { content = [], end = [] } = first.logprobs ?? {};
      for (const token of [...content, ...end].map(fromLogprob)) {
        answer.tokens.push(token);
        events.push({ type: "token", token });
      }
      if (first.delta.content) {
        answer.text += first.delta.content;
        events.push({ type: "delta", text: first.delta.content });
      }
      if (first.finish_reason !== null) finished = first;
      return events;
    },
    end() {
      const { finish_reason: finishReason, boxes, timings, score, seed } = finished ?? {};
      if (!finishReason || !boxes || !timings || !usage)
        throw new TinyGptvError(
          "network",
          "answer: want its end and its usage, got a stream without",
        );
      const only = { ...answer, boxes, finishReason, ...(score !== undefined && { score }) };
      return [
        {
          type: "end",
          hypotheses: hypotheses?.slice(0, numReturnSequences) ?? [only],
          usage,
          timings,
          ...(seed !== undefined && { seed }),
        },
      ];
    },
  };
}
