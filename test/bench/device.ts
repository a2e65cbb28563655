/** A level on a GPU beside the same on the processor: pictures, prompts, steps of several callers. */
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { providers } from "../../lib/protocol/src/index.ts";
import type { Provider } from "../../lib/protocol/src/index.ts";
import type { ForwardRow, Sequence } from "../../lib/runtime/src/decoding/sequence.ts";
import { chooseExecution, describeExecution } from "../../lib/runtime/src/engine/execution.ts";
import { openParts } from "../../lib/runtime/src/engine/openParts.ts";
import { graphsOf, type ModelParts } from "../../lib/runtime/src/engine/parts.ts";
import { promptChunk } from "../../lib/runtime/src/engine/rowWork.ts";
import { encodeImage } from "../../lib/runtime/src/session/vision.ts";
import { timed } from "./messages.ts";
import { median } from "./statistics.ts";

/** Callers, and positions that each holds. */
const decoded = [
  [1, 150],
  [4, 150],
  [8, 150],
  [16, 150],
  [8, 1000],
] as const;
const prompts = [64, 128, 1024];

/** What was measured, in milliseconds, and by what. */
interface Measured {
  execution: string;
  times: Map<string, number>;
}

export function readProvider(name: string): Provider {
  const provider = providers.find((one) => one === name);
  if (provider) return provider;
  throw new Error(`--provider: want one of ${providers.join(", ")}, got ${name}`);
}

/** Measures and prints a table: one after the other, since both together would take the memory of two. */
export async function compareWithProcessor(
  folder: string,
  level: string,
  provider: Provider,
): Promise<void> {
  const there = await measure(folder, level, provider);
  const here = await measure(folder, level, "cpu");
  console.log(`${level}: ${there.execution}\n`);
  const line = (cells: readonly string[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell.padStart(12))).join(""));
  line(["ms", provider, "cpu", "ratio"]);
  for (const [name, time] of there.times) {
    const other = here.times.get(name)!;
    line([name, time.toFixed(1), other.toFixed(1), (other / time).toFixed(2)]);
  }
}

async function measure(folder: string, level: string, provider: Provider): Promise<Measured> {
  const manifest = await readManifest(folder);
  const execution = await chooseExecution(provider);
  const times = new Map<string, number>();
  const files = graphsOf(manifest, level);
  const wanted = ["vision", "qformer", "mapping", "languageModel"] as const;
  let parts!: Awaited<ReturnType<typeof openParts<(typeof wanted)[number]>>>;
  times.set(
    "opening, copies left aside",
    await timed(async () => {
      parts = await openParts({ folder, manifest, files }, wanted, { execution, prepacked: false });
    }),
  );
  const { imageSize } = manifest.config.vision;
  const pixels = new Float32Array(3 * imageSize ** 2).map((_, i) => Math.sin(i / 7));
  const picture = await repeat(4, () => encodeImage(parts, pixels, manifest.config));
  times.set("a picture", picture);
  const { languageModel } = parts;
  for (const length of prompts) {
    const run = async () => languageModel.release(await prefill(languageModel, length));
    times.set(`a prompt of ${length}`, await repeat(3, run));
  }
  for (const [callers, context] of decoded) {
    const first = await prefill(languageModel, context);
    const all = [first, ...Array.from({ length: callers - 1 }, () => languageModel.fork(first))];
    const step = () =>
      languageModel.forward(
        all.map((sequence): ForwardRow => ({
          sequence,
          input: { tokens: [1000] },
          logits: "last",
        })),
      );
    times.set(`a step of ${callers} at ${context}`, await repeat(15, step));
    for (const sequence of all) languageModel.release(sequence);
  }
  await parts.close();
  return { execution: describeExecution(execution), times };
}

/** Cut as the engine cuts prompts. */
async function prefill(model: ModelParts["languageModel"], length: number): Promise<Sequence> {
  const sequence = model.create();
  for (let done = 0; done < length; done += promptChunk) {
    const count = Math.min(promptChunk, length - done);
    const tokens = Array.from({ length: count }, (_, i) => 1000 + done + i);
    const isLast = done + count === length;
    await model.forward([{ sequence, input: { tokens }, logits: isLast ? "last" : "none" }]);
  }
  return sequence;
}

/** The median of so many runs after two that are not counted. */
async function repeat(times: number, work: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < 2; i++) await work();
  const taken: number[] = [];
  for (let i = 0; i < times; i++) taken.push(await timed(async () => void (await work())));
  return median(taken);
}
