/** The language model on its own: whatever makes it faster changes no token. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { greedy } from "../../lib/runtime/src/decoding/greedy.ts";
import { resolveDecoding, type GreedyDecoding } from "../../lib/protocol/src/decoding/resolve.ts";
import { promptLookup } from "../../lib/runtime/src/decoding/promptLookup.ts";
import { runDecoder } from "../../lib/runtime/src/decoding/runDecoder.ts";
import type { Sequence } from "../../lib/runtime/src/decoding/sequence.ts";
import { tokenSequences } from "../../lib/runtime/src/decoding/stopping.ts";
import { openParts } from "../../lib/runtime/src/engine/openParts.ts";
import { graphsOf } from "../../lib/runtime/src/engine/parts.ts";
import type { OpenedParts } from "../../lib/runtime/src/engine/parts.ts";
import { promptChunk } from "../../lib/runtime/src/engine/rowWork.ts";
import { createScheduler } from "../../lib/runtime/src/engine/scheduler.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { createPrefixCache } from "../../lib/runtime/src/session/prefixCache.ts";
import { randomBelow } from "../support/random.ts";

const nano = (path: string) => fileURLToPath(new URL(`../../models/nano/${path}`, import.meta.url));

let parts: OpenedParts<"languageModel" | "tokenizer">;
let tokenizer: typeof parts.tokenizer;
let model: typeof parts.languageModel;
let prompts: number[][];
const held: Sequence[] = [];

beforeAll(async () => {
  const folder = nano("converted");
  const manifest = await readManifest(folder);
  const files = graphsOf(manifest, "fp32");
  parts = await openParts({ folder, manifest, files }, ["languageModel", "tokenizer"], {
    threads: 1,
  });
  ({ languageModel: model, tokenizer } = parts);
  const lines = (await readFile(nano("eval/eval.jsonl"), "utf8")).trim().split("\n");
  prompts = lines
    .filter((_, i) => i % 100 === 0)
    .map((line) => tokenizer.encode((JSON.parse(line) as { prompt: string }).prompt));
});
afterEach(() => {
  for (const sequence of held.splice(0)) model.release(sequence);
});
afterAll(async () => {
  await parts.close();
});

const hold = (sequence: Sequence) => {
  held.push(sequence);
  return sequence;
};
const start = () => hold(model.create());
const decoding = resolveDecoding({ maxNewTokens: 24 }) as GreedyDecoding;

function decoderFor(
  prompt: readonly number[],
  sequence: Sequence,
  draft?: (tokens: readonly number[]) => readonly number[],
) {
  const rest = { tokens: prompt.slice(sequence.length) };
  return greedy(
    {
      model,
      sequence,
      prompt: rest,
      beginTokenId: 0,
      endTokenIds: [],
      isStopped: tokenSequences([]),
      badWordIds: [],
      ...(draft ? { draft } : {}),
    },
    decoding,
  );
}

const idsOf = (answers: { tokens: readonly { id: number }[] }[]) =>
  answers[0]!.tokens.map(({ id }) => id);

async function alone(prompt: readonly number[]): Promise<number[]> {
  return idsOf(await runDecoder(decoderFor(prompt, start()), model));
}

describe("a forward pass", () => {
  it("computes logits where they are asked for, and nowhere else", async () => {
    const [none] = await model.forward([
      { sequence: start(), input: { tokens: [1, 2, 3] }, logits: "none" },
    ]);
    expect(none).toHaveLength(0);
    const all = await model.forward([
      { sequence: start(), input: { tokens: [1, 2, 3] }, logits: "none" },
      { sequence: start(), input: { tokens: [1, 2, 3] }, logits: "all" },
      { sequence: start(), input: { tokens: [1, 2] }, logits: "last" },
    ]);
    expect(all.map(({ length }) => length / model.vocabularySize)).toEqual([0, 3, 1]);
  });

  it("goes on from a saved sequence as from the sequence itself", async () => {
    const original = start();
    await model.forward([{ sequence: original, input: { tokens: prompts[0]! }, logits: "last" }]);
    const saved = model.save(original, original.length);
    const copies = [hold(model.restore(saved, saved.rows.length)), hold(model.restore(saved, 4))];
    expect(copies.map(({ length }) => length)).toEqual([original.length, 4]);
    model.truncate(original, 4);
    const next = { input: { tokens: [7] }, logits: "last" } as const;
    const [cut] = await model.forward([{ sequence: original, ...next }]);
    const [restored] = await model.forward([{ sequence: copies[1]!, ...next }]);
    expect(restored).toEqual(cut);
  });
});

describe("what changes no token", () => {
  it("requests that join and leave a running batch", { timeout: 60_000 }, async () => {
    const random = randomBelow(11);
    const wanted: number[][] = [];
    for (const prompt of prompts) wanted.push(await alone(prompt));

    const scheduler = createScheduler(model, { maxBatch: 4, chunk: 16 });
    let widest = 0;
    const got = await Promise.all(
      prompts.map(async (prompt) => {
        const wait = random(60);
        for (let i = 0; i < wait; i++) await new Promise(setImmediate);
        widest = Math.max(widest, scheduler.gauges().batchSize);
        return idsOf(await scheduler.run(decoderFor(prompt, start())));
      }),
    );
    expect(got).toEqual(wanted);
    expect(widest).toBeGreaterThan(1);
  });

  it("drafts from the prompt and the answer", { timeout: 60_000 }, async () => {
    let drafted = 0;
    for (const prompt of prompts) {
      const lookUp = promptLookup(prompt);
      const draft = (tokens: readonly number[]) => {
        const proposal = lookUp(tokens);
        drafted += proposal.length;
        return proposal;
      };
      const got = idsOf(await runDecoder(decoderFor(prompt, start(), draft), model));
      expect(got).toEqual(await alone(prompt));
    }
    expect(drafted).toBeGreaterThan(50);
  });

  it("a prefix that an earlier prompt has left", { timeout: 60_000 }, async () => {
    const prefixes = createPrefixCache(model, 2 ** 24, promptChunk);
    for (const [i, prompt] of prompts.entries()) {
      const first = await alone(prompt);
      const next = [...prompt, ...first, ...(prompts[i + 1] ?? [])];
      const sequence = prefixes.take(prompt);
      const asked = idsOf(await runDecoder(decoderFor(prompt, sequence), model));
      prefixes.give(sequence, prompt);
      expect(asked).toEqual(first);

      const again = prefixes.take(next);
      expect(again.length).toBe(prompt.length - (prompt.length % promptChunk));
      const followed = idsOf(await runDecoder(decoderFor(next, again), model));
      prefixes.give(again, next);
      expect(followed).toEqual(await alone(next));
    }
  });
});
