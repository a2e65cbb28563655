/** An engine that answers by rule, and notebooks to run against it. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { Box, GenerateRequest } from "@tinygptv/protocol";
import type { NotebookEngine, RunContext } from "../context.ts";
import { checkNotebook, type Notebook } from "../document.ts";

export interface Asked {
  request: GenerateRequest;
  pictures: number;
  model: string | undefined;
}

/** Answers with the prompt in capitals; fails where it says "fail"; scores by length. */
export function capitals(asked: Asked[] = []): NotebookEngine {
  return {
    async *generate(request, images, { model } = {}) {
      await Promise.resolve();
      asked.push({ request, pictures: images.length, model });
      const prompt = request.rounds.at(-1)?.prompt ?? "";
      if (prompt.includes("fail")) throw new TinyGptvError("engine", "engine: it died");
      const text = prompt.toUpperCase();
      yield { type: "start", model: model ?? "m:a", promptText: prompt, images: [] };
      yield { type: "delta", text };
      const box: Box = { phrase: "", percent: [1, 2, 3, 4], pixels: [1, 2, 3, 4], image: 0 };
      yield {
        type: "end",
        hypotheses: [{ text, tokens: [], boxes: [box], finishReason: "stop" }],
        usage: { promptTokens: 1, imageTokens: 0, completionTokens: 1, cachedTokens: 0 },
        timings: { queue: 0, image: 0, prefill: 0, decode: 0, total: 0 },
        ...(request.decoding?.method === "sample" && { seed: 4_000_000_000 }),
      };
    },
    score: (request, _images, { model } = {}) =>
      Promise.resolve({
        candidates: request.candidates.map((text) => ({
          text,
          tokens: [],
          meanLogprob: -text.length - (model?.length ?? 0),
        })),
        ranks: [],
        images: [],
      }),
  };
}

export const context = (notebook: Notebook, engine = capitals()): Omit<RunContext, "outputOf"> => ({
  notebook,
  engine,
  readPicture: () => Promise.resolve(new Uint8Array([1])),
  signal: new AbortController().signal,
  now: () => "2026-01-01T00:00:00.000Z",
});

export const picture = { type: "picture", id: "p", name: "dog", file: "dog.png" };
export const make = (...cells: object[]): Notebook =>
  checkNotebook({ title: "t", model: "m:a", cells });
