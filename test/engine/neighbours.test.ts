/**
 * An answer depends on nobody else: in every level that is recommended, 200
 * callers at once, over several questions and ways of decoding, have the tokens
 * and log-probabilities, bit for bit, that each has alone in a fresh process,
 * with and without a beginning known from before.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { convert, findSources } from "@tinygptv/convert";
import type { DecodingParams, GenerateEvent, Hypothesis } from "@tinygptv/protocol";
import { createEngine, openSession } from "tinygptv";
import type { Engine } from "tinygptv";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../support/converted.ts";

const nano = fileURLToPath(new URL("../../models/nano", import.meta.url));
const levels = ["fp32", "int8", "int4", "auto"];
const callers = 200;

interface Case {
  rounds: { prompt: string; answer?: string; images?: number }[];
  picture: Uint8Array;
  decoding: DecodingParams;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let cases: Case[];

beforeAll(async () => {
  folder = await temporaryFolder();
  model = `${folder.path}/nano`;
  const { paths, settings } = await findSources(`${nano}/checkpoint`);
  await convert({
    sources: paths,
    out: model,
    name: "nano",
    levels,
    openSession,
    ...(settings && { settings }),
  });
  const lines = (await readFile(`${nano}/eval/eval.jsonl`, "utf8")).split("\n");
  const ways: DecodingParams[] = [
    { maxNewTokens: 12 },
    { method: "sample", seed: 7, temperature: 1.3, maxNewTokens: 16 },
    { method: "beam", numBeams: 3, maxNewTokens: 8 },
    { maxNewTokens: 30, repetitionPenalty: 1.2 },
  ];
  cases = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const { image, prompt } = JSON.parse(lines[i * 31]!) as { image: string; prompt: string };
      const question = { prompt, images: 1 };
      // Prompts of one chunk and of several; some begin as others do.
      const rounds =
        i % 3 === 0
          ? [question]
          : [question, { prompt: `${"And of what colour is it? ".repeat(i)}Tell me.` }];
      if (rounds.length > 1) Object.assign(rounds[0]!, { answer: "I see something." });
      return { rounds, picture: await readFile(`${nano}/eval/${image}`), decoding: ways[i % 4]! };
    }),
  );
});
afterAll(() => folder.remove());

async function answer(engine: Engine, level: string, { picture, ...request }: Case) {
  let end: GenerateEvent | undefined;
  const options = { model: `nano:${level}` };
  for await (const event of engine.generate(request, [picture], options)) end = event;
  if (end?.type !== "end") throw new Error("want an end, got none");
  return end.hypotheses.map(({ tokens }: Hypothesis) =>
    tokens.map(({ id, logprob }) => [id, logprob]),
  );
}

it.each(levels)("%s", { timeout: 180_000 }, async (level) => {
  const start = () => createEngine({ models: [model], queueLimit: callers });
  const alone = [];
  const single = start();
  // Each alone; the second time with what the first has left of its prompt.
  for (const one of cases) alone.push(await answer(single, level, one));
  for (const [i, one] of cases.entries())
    expect(await answer(single, level, one)).toEqual(alone[i]);
  await single.close();

  const crowded = start();
  const order = Array.from({ length: callers }, (_, i) => (i * 7) % cases.length);
  const together = await Promise.all(order.map((i) => answer(crowded, level, cases[i]!)));
  await crowded.close();
  for (const [i, got] of together.entries()) expect(got).toEqual(alone[order[i]!]);
});
