import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { grown, noAnswer, type Answer } from "../../answer.ts";
import type { DecodingParams } from "../../decoding/parameters.ts";
import { generateEventSchema, type GenerateEvent } from "../../events.ts";
import { anyAnswer, anySpoken } from "../../testing/arbitraries.ts";
import { chatChunkSchema, chatRequestSchema, type ChatChunk } from "../chat.ts";
import { createChatStreamReader, createChatStreamWriter } from "./chatStream.ts";
import { fromChatRequest } from "./request.ts";
import { logprobsOf } from "./tokens.ts";

type Choice = ChatChunk["choices"][number];

const chunk = (rest: Partial<ChatChunk>): ChatChunk => ({
  id: "c",
  object: "chat.completion.chunk",
  created: 0,
  model: "nano:fp32",
  choices: [],
  ...rest,
});
const choice = (rest: Partial<Choice>): Choice => ({
  index: 0,
  delta: {},
  logprobs: null,
  finish_reason: null,
  ...rest,
});
const timings = { queue: 1, image: 2, prefill: 3, decode: 4, total: 10 };
const logprobs: Choice["logprobs"] = {
  content: [
    {
      token: "a",
      id: 5,
      logprob: -0.5,
      bytes: [97],
      top_logprobs: [{ token: "b", id: 6, logprob: -1, bytes: [98] }],
    },
  ],
  refusal: null,
};
const heard = { id: 5, text: "a", logprob: -0.5, top: [{ id: 6, text: "b", logprob: -1 }] };

function eventsOf(chunks: readonly ChatChunk[], decoding: DecodingParams = {}): GenerateEvent[] {
  const reader = createChatStreamReader(decoding);
  return [...chunks.flatMap((one) => reader.read(one)), ...reader.end()];
}

const foldOf = (events: readonly GenerateEvent[]): Answer =>
  events.reduce<Answer>((answer, event) => grown(answer, event), noAnswer);

describe("there and back", () => {
  const plan = fromChatRequest(
    chatRequestSchema.parse({
      messages: [{ role: "user", content: "x" }],
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
    }),
  );

  it("an answer is the same answer, token by token", () => {
    fc.assert(
      fc.property(anyAnswer, (events) => {
        const { model } = events[0] as Extract<GenerateEvent, { type: "start" }>;
        const writer = createChatStreamWriter(plan, { id: "c", created: 0, model });
        const sent = [...events.flatMap((event) => writer.write(0, event)), ...writer.end()];
        expect(sent.pop()!.data).toBe("[DONE]");
        const chunks = sent.map(({ data }) => chatChunkSchema.parse(JSON.parse(data)));
        const back = eventsOf(chunks);
        for (const event of back) generateEventSchema.parse(event);
        expect(foldOf(back)).toEqual(foldOf(events));
        // What had arrived before the end as well: text, and every token.
        expect(foldOf(back.slice(0, -1))).toEqual(foldOf(events.slice(0, -1)));
      }),
    );
  });

  it("the tokens of the content, joined, are the content", () => {
    fc.assert(
      fc.property(anySpoken, (spoken) => {
        const { content } = logprobsOf(spoken, true)!;
        const bytes = content.flatMap((one) => one.bytes!);
        expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(spoken.text);
        const joined = content.map((one) => one.token).join("");
        // A token within a character shows as U+FFFD; its bytes tell.
        expect(joined.includes("\u{fffd}") || joined === spoken.text).toBe(true);
      }),
    );
  });
});

const counted = chunk({
  usage: {
    prompt_tokens: 9,
    completion_tokens: 1,
    total_tokens: 10,
    prompt_tokens_details: { cached_tokens: 2, image_tokens: 3 },
    images: [],
  },
});

describe("events", () => {
  it("come from the chunks of a sampling, with the seed it drew", () => {
    const image = { id: "img_f00", width: 4, height: 3, cached: true };
    const box = { phrase: "", percent: [1, 2, 3, 4], pixels: [1, 2, 3, 4], image: 0 };
    const events = eventsOf([
      chunk({ choices: [choice({})], tinygptv: { event: "start", prompt: "p", images: [image] } }),
      chunk({ choices: [choice({ delta: { content: "a" }, logprobs })] }),
      chunk({
        choices: [
          choice({
            finish_reason: "length",
            boxes: [box as NonNullable<Choice["boxes"]>[number]],
            timings,
            seed: 4_000_000_000,
          }),
        ],
        tinygptv: { event: "end" },
      }),
      counted,
    ]);
    expect(events).toEqual([
      {
        type: "start",
        model: "nano:fp32",
        promptText: "p",
        images: [{ hash: "f00", width: 4, height: 3, cached: true }],
      },
      { type: "token", token: heard },
      { type: "delta", text: "a" },
      {
        type: "end",
        hypotheses: [{ text: "a", tokens: [heard], boxes: [box], finishReason: "length" }],
        usage: { promptTokens: 9, imageTokens: 3, completionTokens: 1, cachedTokens: 2 },
        timings,
        seed: 4_000_000_000,
      },
    ]);
  });

  it("have as many beams as were asked for, best first", () => {
    const beams = ["a", "b", "c"].map((text, i) => ({ text, score: -1 - i }));
    const hypotheses = beams.map((beam) => ({
      ...beam,
      finish_reason: "stop" as const,
      logprobs: null,
      boxes: [],
    }));
    const events = eventsOf(
      [
        chunk({ tinygptv: { event: "beams", hypotheses: beams } }),
        chunk({
          choices: [choice({ finish_reason: "stop", timings, boxes: [], score: -1 })],
          tinygptv: { event: "end", hypotheses },
        }),
        counted,
      ],
      { numBeams: 3, numReturnSequences: 2 },
    );
    expect(events[0]).toEqual({ type: "beams", hypotheses: beams.slice(0, 2) });
    expect(events[1]).toMatchObject({
      hypotheses: [
        { text: "a", score: -1, finishReason: "stop" },
        { text: "b", score: -2, finishReason: "stop" },
      ],
    });
    expect(events[1]).not.toHaveProperty("seed");
  });
});
