/** The nano model answers its evaluation set as the reference does, token for token. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openModel } from "../../lib/runtime/src/engine/openModel.ts";
import type { Model } from "../../lib/runtime/src/model.ts";
import type { GenerateEvent } from "../../lib/protocol/src/index.ts";

const nano = (path: string) => fileURLToPath(new URL(`../../models/nano/${path}`, import.meta.url));

interface Question {
  id: string;
  image: string;
  prompt: string;
  greedy: { ids: number[]; text: string };
}

let model: Model;
let questions: Question[];
beforeAll(async () => {
  model = await openModel(nano("converted"), { maxBatch: 8 });
  const lines = (await readFile(nano("eval/eval.jsonl"), "utf8")).trim().split("\n");
  questions = lines.map((line) => JSON.parse(line) as Question);
});
afterAll(() => model.close());

async function ask({ image, prompt }: Question) {
  const picture = await readFile(nano(`eval/${image}`));
  let end: GenerateEvent | undefined;
  for await (const event of model.generate({ rounds: [{ prompt }], imageMode: "reference" }, [
    picture,
  ]))
    end = event;
  if (end?.type !== "end") throw new Error(`${image}: the stream ended without its end event`);
  const [{ text, tokens }] = end.hypotheses as [(typeof end.hypotheses)[number]];
  return { ids: tokens.map(({ id }) => id), text };
}

it("greedy answers are equal, many at a time", { timeout: 600_000 }, async () => {
  expect(questions.length).toBe(600);
  const different: unknown[] = [];
  const queue = [...questions];
  const worker = async () => {
    for (let question = queue.shift(); question; question = queue.shift()) {
      const { ids, text } = await ask(question);
      if (text !== question.greedy.text || ids.join() !== question.greedy.ids.join())
        different.push({ id: question.id, want: question.greedy.text, got: text });
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(different).toEqual([]);
});
