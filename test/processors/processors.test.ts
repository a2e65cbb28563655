/** The same answers on every kind of processor (`pnpm test:processors`, one to three minutes each). */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert } from "../../lib/convert/src/convert.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";
import { bringEmulators, processors, runOn } from "./emulated.ts";
import type { Processor } from "./emulated.ts";
import type { Measured } from "./measure.ts";

const program = fileURLToPath(new URL("measure.ts", import.meta.url));
const levels = ["fp32", "int8", "int4", "int4-b32", "auto"];
const lacking = await bringEmulators();
const scratch = await temporaryFolder();
const nano = join(scratch.path, "nano");
const micro = join(scratch.path, "micro");

async function convertAll(checkpoint: string, name: string, out: string): Promise<void> {
  const { paths, settings } = await findSources(checkpoint);
  await convert({ sources: paths, out, name, levels, openSession, ...(settings && { settings }) });
}

beforeAll(async () => {
  await convertAll(fixture("../../models/nano/checkpoint"), "nano", nano);
  await convertAll(fixture("micro-stage4"), "micro", micro);
});
afterAll(scratch.remove);

const isHere = ({ cpu }: Processor) => cpu === undefined;
const canBeTried = (processor: Processor) => isHere(processor) || lacking === undefined;
for (const processor of processors)
  if (!canBeTried(processor)) console.warn(`NOT TRIED: ${processor.name}: ${lacking}`);

describe.each(processors.filter(canBeTried))("$name", (processor) => {
  let measured: Measured;
  beforeAll(async () => {
    measured = JSON.parse(await runOn(processor, [program, nano, micro])) as Measured;
  }, 900_000);

  it("sees pictures in int8 as in float32", () => {
    expect(measured.featureCosine).toBeGreaterThan(0.9998);
    expect(processor.integerWeights).toContain(measured.integerWeights);
  });

  it("gives the reference's tokens in float32", () => {
    for (const { own, reference } of measured.greedy) expect(own).toEqual(reference);
  });

  const differences = (models: readonly string[], how: RegExp) =>
    models.flatMap((model) =>
      Object.entries(measured.neighbours[model]!)
        .filter(([name]) => how.test(name))
        .map(([name, difference]) => ({ model, how: name, ...difference })),
    );

  it.each(levels)("%s gives a row bit for bit the same beside others", (level) => {
    const batches = differences([`nano:${level}`, `micro:${level}`], /^batch/);
    expect(batches.filter(({ logits }) => logits > 0)).toEqual([]);
  });

  it("fp32 gives a prompt in chunks the same up to rounding", () => {
    const chunks = differences(["nano:fp32", "micro:fp32"], /^chunks/);
    expect(chunks.filter(({ tokens, logprob }) => tokens > 0 || !(logprob < 1e-4))).toEqual([]);
  });
});
