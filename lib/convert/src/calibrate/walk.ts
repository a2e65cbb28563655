/**
 * Runs a graph block by block, so that a model far larger than memory can be
 * looked into: one block is on disk and in memory at a time.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sliceGraph, typesOf } from "@tinygptv/graph";
import { writeModel } from "@tinygptv/graph/disk";
import type { Graph, Port } from "@tinygptv/graph";
import type { OpenSession, SessionTensor } from "@tinygptv/graph/session";
import { shorten, throwIfAborted, TinyGptvError } from "@tinygptv/protocol";

/** Inputs of the whole graph for one picture or prompt. */
export type Sample = Readonly<Record<string, SessionTensor>>;

export interface WalkOptions {
  /** Runs the blocks. */
  openSession: OpenSession;
  /** Folder for the block at hand; left behind for the caller to remove. */
  scratch: string;
  /** Output of the graph that the last block ends in. */
  output: string;
  /** Called with the bytes of each layer's weights as it has been dealt with. */
  onBytes: (bytes: number) => void;
  signal?: AbortSignal | undefined;
}

/** One block; may be run in any form that keeps its inputs. */
export interface Block {
  readonly graph: Graph;
  /** Runs a form of this block over all samples, one after the other, and shows the outputs. */
  run(
    graph: Graph,
    onResult: (outputs: Record<string, Float32Array>, sample: number) => void,
  ): Promise<void>;
}

/**
 * Visits the blocks that the graph says it has, in order. `visit` returns the form the next block's inputs
 * are computed with: the block as it is, or a quantized one.
 * @throws TinyGptvError "model" where the graph says nothing of blocks
 */
export async function walkBlocks(
  graph: Graph,
  samples: readonly Sample[],
  { openSession, scratch, output, signal }: WalkOptions,
  visit: (block: Block) => Promise<Graph>,
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  if (graph.blocks.length === 0)
    throw new TinyGptvError(
      "model",
      `graph ${graph.name}: want one that says where its blocks end, got one of an older version: convert the checkpoint again`,
    );
  const types = typesOf(graph);
  const boundaries = graph.blocks.map((name): Port => {
    const type = types.get(name);
    if (type) return { name, dtype: type.dtype, shape: type.shape };
    throw new TinyGptvError(
      "model",
      `graph ${graph.name}: want a block to end in a value of it, got ${shorten(name)}`,
    );
  });
  let feeds = samples;

  const run: Block["run"] = async (form, onResult) => {
    if (form.outputs.length === 0) return;
    const path = join(scratch, "block.onnx");
    await writeModel(path, form, signal ? { signal } : {});
    const session = await openSession(path);
    try {
      for (const [i, sample] of feeds.entries()) {
        throwIfAborted(signal);
        const inputs = form.inputs.map(({ name }) => [name, sample[name]!]);
        const outputs = form.outputs.map(({ name }) => name);
        onResult(await session.run(Object.fromEntries(inputs), outputs), i);
      }
    } finally {
      await session.release();
    }
  };

  const ends = [...boundaries, ...graph.outputs.filter(({ name }) => name === output)];
  for (const [i, end] of ends.entries()) {
    const block = sliceGraph(graph, ends.slice(Math.max(0, i - 1), i), [end]);
    const form = await visit({ graph: block, run });
    if (i === ends.length - 1) return;
    const next = [...samples];
    await run(form, (outputs, sample) => {
      const data = outputs[end.name]!;
      const width = end.shape.at(-1) as number;
      // One picture or prompt: all its positions, with an axis for the batch where the graph has one.
      const positions = data.length / width;
      const shape = end.shape.length === 2 ? [positions, width] : [1, positions, width];
      next[sample] = { ...samples[sample], [end.name]: { dtype: "float32", shape, data } };
    });
    feeds = next;
  }
}
