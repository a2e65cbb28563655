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
/** Levels whose rows are the same alone, beside others and in chunks; measured are all. */
const sameBesideOthers = ["fp32"];
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

  it.each(sameBesideOthers)("%s gives a row the same beside others and in chunks", (level) => {
    const differing = ["nano", "micro"].flatMap((model) =>
      Object.entries(measured.neighbours[`${model}:${level}`]!)
        .filter(([, { tokens, logprob }]) => tokens > 0 || !(logprob < 1e-4))
        .map(([how, difference]) => ({ model, how, ...difference })),
    );
    expect(differing).toEqual([]);
  });
});
