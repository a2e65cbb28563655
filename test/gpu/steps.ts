/** FOLDER: the same steps on the processor and on the device; prints how far apart the logits are, as JSON. */
import { readManifest } from "../../lib/model/src/readManifest.ts";
import type { Sequence } from "../../lib/runtime/src/decoding/sequence.ts";
import { chooseExecution } from "../../lib/runtime/src/engine/execution.ts";
import { openParts } from "../../lib/runtime/src/engine/openParts.ts";
import { graphsOf, type ModelParts } from "../../lib/runtime/src/engine/parts.ts";

const [folder] = process.argv.slice(2) as [string];
const manifest = await readManifest(folder);
const { vocabSize } = manifest.config.phi;
const model = { folder, manifest, files: graphsOf(manifest, "fp32") };
const execution = await chooseExecution("webgpu", "float32");

/** Chunks, batches of one length and of several, a fork, beams, what is laid aside and taken up again, a longer pool. */
async function logitsOf(lm: ModelParts["languageModel"]): Promise<Record<string, Float32Array>> {
  const results: Record<string, Float32Array> = {};
  const tokens = (count: number, seed: number) =>
    Array.from({ length: count }, (_, i) => (i * 7919 + seed * 104729) % vocabSize);
  const run = async (name: string, ...rows: [Sequence, readonly number[]][]) => {
    const logits = await lm.forward(
      rows.map(([sequence, input]) => ({ sequence, input: { tokens: input }, logits: "last" })),
    );
    logits.forEach((row, i) => (results[`${name} ${i}`] = row.slice()));
  };
  const [one, two] = [lm.create(), lm.create()];
  await run("prompt", [one, tokens(20, 1)]);
  await run("lengths", [one, tokens(9, 3)], [two, tokens(12, 4)]);
  await run("together", [one, [5]], [two, [6]]);
  const three = lm.fork(two);
  await run("forked", [three, [7]], [two, [8]]);
  lm.reorder([one, two, three], [1, 1, 0]);
  await run("reordered", [one, [9]], [two, [10]], [three, [11]]);
  const saved = lm.save(two, 10);
  const four = lm.restore(saved, 8);
  lm.discard(saved);
  await run("restored", [four, [12]]);
  lm.release(one);
  // Beyond the shortest slots, so that it moves to longer ones.
  await run("long", [two, tokens(240, 5)]);
  await run("after it moved", [two, [13]]);
  for (const sequence of [two, three, four]) lm.release(sequence);
  return results;
}

async function runOpened(options: Parameters<typeof openParts>[2]) {
  const { languageModel, close } = await openParts(model, ["languageModel"], options);
  const logits = await logitsOf(languageModel);
  await close();
  return logits;
}

const want = await runOpened({ prepacked: false, threads: 1 });
const got = await runOpened({ prepacked: false, execution });
const distances = Object.entries(want).map(([name, values]) => {
  const difference = values.map((value, i) => Math.abs(value - got[name]![i]!));
  return [name, Math.max(...difference)];
});
console.log(JSON.stringify(Object.fromEntries(distances)));
