import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Template } from "@tinygptv/protocol";
import { buildPrompt, encodePrompt } from "./templates.ts";
import { loadTokenizer } from "@tinygptv/model/disk";

const root = new URL("../../../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, root), "utf8");

const ids = z.array(z.array(z.number()));
const goldenSchema = z.object({
  prompts: z.array(z.object({ text: z.string(), segment_ids: ids })),
  batch: z.object({ texts: z.array(z.string()), segment_ids: z.array(ids) }),
  chat: z.array(
    z.object({
      template: z.enum(["demo_stage4", "demo_stage123"]),
      rounds: z.array(z.object({ ask: z.string(), prompt: z.string(), answer: z.string() })),
    }),
  ),
  multi_select: z.array(
    z.object({ text: z.string(), candidates: z.array(z.string()), end_sym: z.string(), ids }),
  ),
});

describe.each(["micro-stage4", "micro-stage3"])("%s", async (set) => {
  const golden = goldenSchema.parse(JSON.parse(await read(`test/fixtures/${set}/golden.json`)));
  const tokenizer = await loadTokenizer(fileURLToPath(new URL(`test/fixtures/${set}/phi-2`, root)));

  it("cuts prompts at the pictures and encodes the pieces as the reference", () => {
    const { prompts, batch } = golden;
    const texts = [...prompts.map(({ text }) => text), ...batch.texts];
    const expected = [...prompts.map(({ segment_ids }) => segment_ids), ...batch.segment_ids];
    expect(texts.map((text) => encodePrompt(tokenizer, text))).toEqual(expected);
  });

  it("encodes candidates as the reference", () => {
    for (const { candidates, end_sym, ids: expected } of golden.multi_select) {
      expect(candidates.map((candidate) => tokenizer.encode(candidate + end_sym))).toEqual(
        expected,
      );
    }
  });

  it("writes the prompt of every round as the demos do", () => {
    const template = { demo_stage4: "stage4", demo_stage123: "stage3" } as const;
    for (const chat of golden.chat) {
      chat.rounds.forEach(({ prompt }, last) => {
        const rounds = chat.rounds
          .slice(0, last + 1)
          .map(({ ask, answer }, i) => (i < last ? { prompt: ask, answer } : { prompt: ask }));
        expect(buildPrompt({ rounds, template: template[chat.template], imageCount: 1 })).toBe(
          prompt,
        );
      });
    }
  });
});

it("writes the nano model's prompts as it was trained on", async () => {
  const lines = (await read("models/nano/eval/eval.jsonl")).trim().split("\n");
  const question = z.object({ prompt: z.string(), prompt_text: z.string() });
  const questions = lines.map((line) => question.parse(JSON.parse(line)));
  expect(questions.length).toBeGreaterThan(0);
  const written = questions.map(({ prompt }) =>
    buildPrompt({ rounds: [{ prompt }], template: "stage4", imageCount: 1 }),
  );
  expect(written).toEqual(questions.map(({ prompt_text }) => prompt_text));
});

describe("buildPrompt", () => {
  const ask = (template: Template, prompt: string, imageCount = 1) =>
    buildPrompt({ rounds: [{ prompt }], template, imageCount });

  it.each([
    ["stage4", "<s>[INST] <Img><ImageHere></Img> what? [/INST]"],
    [
      "stage3",
      "Give the following image: <Img>ImageContent</Img>. You will be able to see the image once I provide it to you. Please answer my questions.###Human: <Img><ImageHere></Img> what?###Assistant: ",
    ],
    ["evaluation", "###Human: <Img><ImageHere></Img> what?###Assistant: "],
    ["choice", "###Human: <Img><ImageHere></Img> what? ###Assistant: "],
  ] as const)("writes %s", (template, text) => {
    expect(ask(template, "what?")).toBe(text);
  });

  it("takes raw text as it is", () => {
    expect(ask("raw", "a<ImageHere>b<ImageHere>", 2)).toBe("a<ImageHere>b<ImageHere>");
    const rounds = [{ prompt: "Q<ImageHere>:", answer: "A;" }, { prompt: "R:" }];
    expect(buildPrompt({ rounds, template: "raw", imageCount: 1 })).toBe("Q<ImageHere>:A;R:");
  });

  it("puts several pictures before the text, and none where there are none", () => {
    expect(ask("stage4", "compare", 2)).toBe(
      "<s>[INST] <Img><ImageHere></Img> <Img><ImageHere></Img> compare [/INST]",
    );
    expect(ask("stage4", "hello", 0)).toBe("<s>[INST] hello [/INST]");
  });

  it("gives each round its own pictures where rounds say how many", () => {
    const rounds = [
      { prompt: "a", answer: "x" },
      { prompt: "b", images: 1, answer: "y" },
      { prompt: "c", images: 1 },
    ];
    expect(buildPrompt({ rounds, template: "stage4", imageCount: 2 })).toBe(
      "<s>[INST] a [/INST]x<s>[INST] <Img><ImageHere></Img> b [/INST]y<s>[INST] <Img><ImageHere></Img> c [/INST]",
    );
  });

  it("puts the task's tag before the last round's text, once", () => {
    const rounds = [{ prompt: "[caption] a", answer: "x" }, { prompt: "where is b ?" }];
    expect(buildPrompt({ rounds, template: "stage4", task: "refer", imageCount: 0 })).toBe(
      "<s>[INST] [caption] a [/INST]x<s>[INST] [refer] where is b ? [/INST]",
    );
    const tagged = [{ prompt: "[refer] b" }];
    expect(
      buildPrompt({ rounds: tagged, template: "evaluation", task: "refer", imageCount: 0 }),
    ).toBe("###Human: [refer] b###Assistant: ");
  });

  it.each([
    [
      "a mark in the text",
      { rounds: [{ prompt: "a <ImageHere>" }] },
      "rounds[0].prompt: want text without <ImageHere>",
    ],
    [
      "a mark in an answer",
      { rounds: [{ prompt: "a", answer: "<ImageHere>" }, { prompt: "b" }] },
      "rounds[0].answer: want text without <ImageHere>",
    ],
    [
      "more pictures than places",
      { rounds: [{ prompt: "a", images: 1 }], imageCount: 2 },
      "images: the prompt has places for 1 pictures, the request has 2",
    ],
    [
      "fewer marks than pictures",
      { rounds: [{ prompt: "a<ImageHere>" }], template: "raw", imageCount: 2 },
      "images: the prompt has places for 1 pictures, the request has 2",
    ],
    [
      "marks that differ from the round's count",
      { rounds: [{ prompt: "a<ImageHere>", images: 2 }], template: "raw", imageCount: 1 },
      "rounds[0]: want 2 <ImageHere> for its pictures, got 1",
    ],
    [
      "a task for raw text",
      { template: "raw", imageCount: 0, task: "vqa" },
      "task: want none with the template raw",
    ],
    [
      "two tasks",
      { rounds: [{ prompt: "[vqa] a" }], task: "caption" },
      "task: want vqa, with which the text begins, got caption",
    ],
    [
      "an answer at the end",
      { rounds: [{ prompt: "a", answer: "b" }] },
      "rounds[0]: want no answer in the last round, got one",
    ],
    [
      "an earlier round without answer",
      { rounds: [{ prompt: "a" }, { prompt: "b" }] },
      "rounds[0]: want an answer in every round but the last, got none",
    ],
  ] as const)("refuses %s", (_name, changed, message) => {
    const request = {
      rounds: [{ prompt: "a" }],
      template: "stage4",
      imageCount: 1,
      ...changed,
    } as const;
    expect(() => buildPrompt(request)).toThrow(
      expect.objectContaining({ code: "prompt", message: expect.stringContaining(message) }),
    );
  });
});
