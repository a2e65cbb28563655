import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withEndMark } from "../../decoding/resolve.ts";
import { resolveDecoding } from "../../decoding/resolve.ts";
import { anyRequest } from "../../testing/arbitraries.ts";
import { chatRequestSchema } from "../chat.ts";
import { fromChatRequest, toChatRequest } from "./request.ts";

describe("requests", () => {
  it("are the same there and back", () => {
    fc.assert(
      fc.property(anyRequest, (given) => {
        const count = given.rounds.reduce((sum, { images = 0 }) => sum + images, 0);
        const pictures = Array.from({ length: count }, (_, i) => `img_${i}`);
        const request = { ...given, decoding: withEndMark(given.decoding ?? {}) };
        const body = chatRequestSchema.parse(toChatRequest(request, pictures, undefined));
        const plan = fromChatRequest(body);
        expect(plan.pictures.map(({ url }) => url)).toEqual(pictures);
        expect(plan.requests).toHaveLength(1);
        const { decoding, ...back } = plan.requests[0]!;
        const { decoding: asked, ...rest } = request;
        expect(back).toEqual(rest);
        const { numReturnSequences: _all, ...there } = resolveDecoding(
          asked,
          () => 7,
        ) as object as Record<string, unknown>;
        const { numReturnSequences: _one, ...here } = resolveDecoding(
          decoding,
          () => 7,
        ) as object as Record<string, unknown>;
        expect(here).toEqual(there);
      }),
    );
  });

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
