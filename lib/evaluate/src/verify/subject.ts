/** The model under test, with what the checks need of it. */
import { readManifest } from "@tinygptv/model";
import type { ModelConfig } from "@tinygptv/model";
import { createScheduler, encodePrompt, graphsOf, openParts } from "tinygptv/parts";
import type { ModelFiles, OpenedParts, Scheduler } from "tinygptv/parts";

export interface Subject extends OpenedParts<"tokenizer" | "embeddings" | "languageModel"> {
  model: ModelFiles;
  config: ModelConfig;
  scheduler: Scheduler;
}

export async function openSubject(folder: string, wanted: string | undefined): Promise<Subject> {
  const manifest = await readManifest(folder);
  const level = wanted ?? ("fp32" in manifest.levels ? "fp32" : manifest.defaultLevel);
  const model = { folder, manifest, files: graphsOf(manifest, level) };
  const parts = await openParts(model, ["tokenizer", "embeddings", "languageModel"], {
    prepacked: false,
  });
  const scheduler = createScheduler(parts.languageModel, { maxBatch: 8, prefillChunk: 128 });
  return { ...parts, model, config: manifest.config, scheduler };
}

/** Embeddings of a prompt whose pictures are already encoded. [positions, width] */
export function embedPrompt(
  { embeddings, languageModel }: Subject,
  segments: readonly (readonly number[])[],
  pictures: readonly Float32Array[],
): Float32Array {
  const { width } = languageModel;
  const pieces = segments.flatMap((ids, i) => {
    const tokens = new Float32Array(ids.length * width);
    embeddings.lookUp(ids, tokens, 0);
    return pictures[i] ? [tokens, pictures[i]] : [tokens];
  });
  const embeds = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    embeds.set(piece, offset);
    offset += piece.length;
  }
  return embeds;
}

/** A text cut at its picture marks, each piece tokenised on its own. */
export function encodeSegments({ tokenizer }: Subject, text: string): number[][] {
  return encodePrompt(tokenizer, text);
}
