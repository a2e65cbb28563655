/** Memory stays flat however long a model runs. `pnpm soak` runs the long form: 10,000 steps and 200 pictures. */
import { setFlagsFromString } from "node:v8";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openModel } from "../../lib/runtime/src/engine/openModel.ts";
import { encodePng } from "../../lib/runtime/src/image/encodePng.ts";
import type { Model } from "../../lib/runtime/src/model.ts";

const isLong = process.env.MODE === "long";
const steps = isLong ? 10_000 : 600;
const pictures = isLong ? 200 : 20;
const timeout = isLong ? 1_200_000 : 120_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes held: JavaScript's after a collection, and everything the process has of the system. */
function memory(): { javascript: number; resident: number } {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { javascript: heapUsed + external, resident: rss };
}

let model: Model;
beforeAll(async () => {
  model = await openModel(fileURLToPath(new URL("../../models/nano/converted", import.meta.url)), {
    level: "fp32",
  });
});
afterAll(() => model.close());

async function ask(prompt: string, length: number, images: Uint8Array[] = []): Promise<number> {
  let tokens = 0;
  const decoding = { maxNewTokens: length, minNewTokens: length };
  for await (const event of model.generate({ rounds: [{ prompt }], decoding }, images))
    if (event.type === "token") tokens++;
  return tokens;
}

const paint = (seed: number) =>
  encodePng({
    width: 96,
    height: 64,
    rgb: new Uint8Array(3 * 96 * 64).map((_, i) => (i * (seed + 3)) % 251),
  });

/** What caches hold is bounded; a leak grows with what was done. */
async function growth(work: (round: number) => Promise<void>, warmUp: number, rounds: number) {
  for (let round = 0; round < warmUp; round++) await work(round);
  const before = memory();
  for (let round = warmUp; round < rounds; round++) await work(round);
  const after = memory();
  return {
    javascript: (after.javascript - before.javascript) / 2 ** 20,
    resident: (after.resident - before.resident) / 2 ** 20,
  };
}

it(`over ${steps} decoding steps`, { timeout }, async () => {
  const answer = 50;
  let decoded = 0;
  const grown = await growth(
    async (round) => {
      decoded += await ask(`Question ${round}: how much is ${round} and ${round * 7}?`, answer);
    },
    Math.ceil(steps / answer / 3),
    steps / answer,
  );
  expect(decoded).toBe(steps);
  expect(grown.javascript).toBeLessThan(24);
  expect(grown.resident).toBeLessThan(64);
});

it(`over ${pictures} pictures`, { timeout }, async () => {
  const grown = await growth(
    async (round) => {
      expect(await ask("What is this?", 1, [await paint(round)])).toBe(1);
    },
    Math.ceil(pictures / 3),
    pictures,
  );
  expect(model.counters().imageCacheMisses).toBe(pictures);
  expect(grown.javascript).toBeLessThan(24);
  expect(grown.resident).toBeLessThan(64);
});
