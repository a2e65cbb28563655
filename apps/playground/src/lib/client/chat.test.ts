import type { DecodingParams, GenerateEvent } from "@tinygptv/protocol";
import type { ChatChunk } from "@tinygptv/protocol/http";
import { describe, expect, it } from "vitest";
import { toChatRequest, toEvents } from "./chat.ts";

describe("requests", () => {
  it("puts pictures before the words of their round, and says the rest by name", () => {
    const rounds = [
      { prompt: "what?", images: 1, answer: "a dog" },
      { prompt: "and here?", images: 1 },
      { prompt: "why?" },
    ];
    const request = toChatRequest(
      { rounds, task: "vqa", template: "choice", imageMode: "reference", answerPrefix: [1, 2] },
      ["img_1", "img_2"],
      "nano:int8",
    );
    const picture = (url: string): object => ({ type: "image_url", image_url: { url } });
    expect(request).toEqual({
      model: "nano:int8",
      messages: [
        { role: "user", content: [picture("img_1"), { type: "text", text: "what?" }] },
        { role: "assistant", content: "a dog" },
        { role: "user", content: [picture("img_2"), { type: "text", text: "and here?" }] },
        { role: "user", content: "why?" },
      ],
      task: "vqa",
      template: "choice",
      image_mode: "reference",
      answer_prefix: [1, 2],
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});

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
const token = { id: 5, text: "a", logprob: -0.5, top: [{ id: 6, text: "b", logprob: -1 }] };

async function eventsOf(
  chunks: readonly ChatChunk[],
  decoding: DecodingParams = {},
): Promise<GenerateEvent[]> {
  async function* stream(): AsyncGenerator<ChatChunk> {
    await Promise.resolve();
    yield* chunks;
  }
  const events: GenerateEvent[] = [];
  for await (const event of toEvents(stream(), decoding)) events.push(event);
  return events;
}

describe("events", () => {
  it("come from the chunks of a sampling, with the seed it drew", async () => {
    const image = { id: "img_f00", width: 4, height: 3, cached: true };
    const box = { phrase: "", percent: [1, 2, 3, 4], pixels: [1, 2, 3, 4], image: 0 };
    const events = await eventsOf([
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
      chunk({
        usage: {
          prompt_tokens: 9,
          completion_tokens: 1,
          total_tokens: 10,
          prompt_tokens_details: { cached_tokens: 2, image_tokens: 3 },
          images: [image],
        },
      }),
    ]);
    expect(events).toEqual([
      {
        type: "start",
        model: "nano:fp32",
        promptText: "p",
        images: [{ hash: "f00", width: 4, height: 3, cached: true }],
        promptTokens: 0,
        imageTokens: 0,
      },
      { type: "token", token },
      { type: "delta", text: "a" },
      {
        type: "end",
        hypotheses: [{ text: "a", tokens: [token], finishReason: "length" }],
        boxes: [box],
        usage: { promptTokens: 9, imageTokens: 3, completionTokens: 1, cachedTokens: 2 },
        timings,
        seed: 4_000_000_000,
      },
    ]);
  });

  it("have as many beams as were asked for, best first", async () => {
    const beams = ["a", "b", "c"].map((text, i) => ({ text, score: -1 - i }));
    const hypotheses = beams.map((beam) => ({
      ...beam,
      finish_reason: "stop" as const,
      logprobs: null,
    }));
    const events = await eventsOf(
      [
        chunk({ tinygptv: { event: "beams", hypotheses: beams } }),
        chunk({
          choices: [choice({ finish_reason: "stop", timings, score: -1 })],
          tinygptv: { event: "end", hypotheses },
        }),
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
