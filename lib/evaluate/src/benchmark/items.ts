/** Rows of a data set as what is asked and what goes into results. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { GenerateRequest, ScoreRequest } from "@tinygptv/protocol";
import type { Picture, Row } from "@tinygptv/datasets";
import sharp from "sharp";
import type { Answerer } from "./answerer.ts";
import type { Benchmark } from "./benchmarks.ts";
import { promptOf, type Asking, type Expected } from "./question.ts";
import type { AnswerRecord } from "./record.ts";

/** Rows at most, taken evenly from all. */
export function evenly<T>(all: readonly T[], limit = all.length): T[] {
  const count = Math.min(limit, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}

/** Asks about one row. */
export async function askAbout(
  row: Row,
  { wording }: Benchmark,
  asking: Asking,
  answerer: Answerer,
  signal: AbortSignal,
): Promise<AnswerRecord> {
  const { id, picture, type } = row;
  const bytes = await picture.read();
  const text = wording.text(row);
  const about = {
    id,
    image: picture.name,
    ...(type !== undefined && { type }),
    prompt: promptOf(text, asking.task),
    expected: await expectedOf(row, bytes),
  };
  if (row.kind === "choice") {
    const request = choiceRequest(text, row.choices, asking);
    const logprobs = await answerer.score(request, [bytes], signal);
    const chosen = logprobs.indexOf(Math.max(...logprobs));
    return { ...about, answer: row.choices[chosen]!, chosen, logprobs };
  }
  const { template, task, imageMode, decoding } = asking;
  const request: GenerateRequest = {
    rounds: [{ prompt: text, images: 1 }],
    template,
    imageMode,
    decoding,
    ...(task !== undefined && { task }),
  };
  const { text: answer, finishReason } = await answerer.answer(request, [bytes], signal);
  return { ...about, answer, ...(finishReason !== undefined && { finishReason }) };
}

/** What the reference puts in front of a prompt whose answers are chosen, and behind every candidate. */
const beginOfText = "<|endoftext|>";
const endSymbol = "\n";

/**
 * A choice as the reference's `multi_select` makes it: the begin token stands in
 * front, which no template has, so its text is written out.
 */
function choiceRequest(
  text: string,
  candidates: readonly string[],
  { template, task, imageMode }: Asking,
): ScoreRequest {
  const common = { imageMode, candidates: [...candidates], endSymbol };
  if (template !== "choice")
    return {
      ...common,
      rounds: [{ prompt: text, images: 1 }],
      template,
      ...(task !== undefined && { task }),
    };
  const prompt = `${beginOfText}###Human: <Img><ImageHere></Img> ${promptOf(text, task)} ###Assistant: `;
  return { ...common, rounds: [{ prompt, images: 1 }], template: "raw" };
}

async function expectedOf(row: Row, bytes: Uint8Array): Promise<Expected> {
  switch (row.kind) {
    case "question":
      return { kind: "question", answers: [...row.answers] };
    case "label":
      return { kind: "label", label: row.label };
    case "choice":
      return { kind: "choice", choices: [...row.choices], answer: row.answer };
    case "captions":
      return { kind: "captions", captions: [...row.captions] };
    case "phrase":
      return {
        kind: "phrase",
        boxes: row.boxes.map(([x1, y1, x2, y2]) => [x1, y1, x2, y2]),
        size: row.size ?? (await sizeOf(row.picture, bytes)),
      };
  }
}

/** Where a data set does not tell how large a picture is, the picture does. */
async function sizeOf(picture: Picture, bytes: Uint8Array) {
  try {
    const { width, height } = await sharp(bytes).metadata();
    return { width, height };
  } catch (cause) {
    throw new TinyGptvError(
      "image",
      `${picture.name}: want a picture, got what cannot be decoded`,
      {
        cause,
      },
    );
  }
}
