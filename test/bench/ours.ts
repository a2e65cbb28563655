/** The subject that is ours: FOLDER LEVEL THREADS PART, of which no other is loaded. */
import { readManifest } from "../../lib/model/src/readManifest.ts";
import type { ForwardRow, Sequence } from "../../lib/runtime/src/decoding/sequence.ts";
import { promptChunk } from "../../lib/runtime/src/engine/rowWork.ts";
import { openParts } from "../../lib/runtime/src/engine/openParts.ts";
import { graphsOf } from "../../lib/runtime/src/engine/parts.ts";
import { serve, timed, type Measurement } from "./messages.ts";

const [folder, level, threads, part] = process.argv.slice(2) as [
  string,
  string,
  string,
  "languageModel" | "vision",
];
const manifest = await readManifest(folder);
const { phi, vision } = manifest.config;
const files = graphsOf(manifest, level);
// Only the measurements of the part that is there are asked for.
const { languageModel: model, vision: session } = await openParts(
  { folder, manifest, files },
  [part],
  { threads: Number(threads) },
);

/** Positions of random content: what they hold takes no part in how long a step takes. */
const saved = new Map<number, Parameters<typeof model.restore>[0]>();
function contextOf(length: number): Sequence {
  const random = () =>
    Array.from({ length: 2 * phi.numLayers }, () =>
      new Float32Array(phi.numHeads * length * phi.headDim).map(() => Math.random() - 0.5),
    );
  if (!saved.has(length)) {
    saved.clear();
    const rows = { buffers: random(), length, free: () => {} };
    saved.set(length, { rows, stamps: Array<number>(length).fill(-1), adapter: undefined });
  }
  return model.restore(saved.get(length)!, length);
}

async function decode(context: number, batch: number, steps: number): Promise<number[]> {
  const sequences = Array.from({ length: batch }, () => contextOf(context));
  const step = (token: number) =>
    model.forward(
      sequences.map((sequence): ForwardRow => ({
        sequence,
        input: { tokens: [token] },
        logits: "last",
      })),
    );
  await step(0); // allocates what later steps use again
  const times: number[] = [];
  for (let i = 0; i < steps; i++) times.push(await timed(() => step(1000 + i)));
  for (const sequence of sequences) model.release(sequence);
  return times;
}

async function prefill(count: number): Promise<number[]> {
  const sequence = model.create();
  const tokens = Array.from({ length: count }, (_, i) => 1000 + i);
  // Cut as the engine cuts prompts.
  const time = await timed(async () => {
    for (let start = 0; start < count; start += promptChunk) {
      const input = { tokens: tokens.slice(start, start + promptChunk) };
      await model.forward([
        { sequence, input, logits: start + promptChunk < count ? "none" : "last" },
      ]);
    }
  });
  model.release(sequence);
  return [time];
}

async function picture(): Promise<number[]> {
  const { imageSize } = vision;
  const data = new Float32Array(3 * imageSize * imageSize).map((_, i) => Math.sin(i));
  const shape = [1, 3, imageSize, imageSize];
  return [
    await timed(() =>
      session.run({ pixel_values: { dtype: "float32", shape, data } }, ["vision_states"]),
    ),
  ];
}

serve((what: Measurement) => {
  switch (what.kind) {
    case "decode":
      return decode(what.context, what.batch, what.steps);
    case "prefill":
      return prefill(what.tokens);
    case "picture":
      return picture();
  }
});
