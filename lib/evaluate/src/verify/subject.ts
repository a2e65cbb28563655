/** The model under test, with what the checks need of it. */
import { readManifest } from "@tinygptv/model/disk";
import type { ModelConfig } from "@tinygptv/model";
import { createScheduler, encodePrompt, graphsOf, openParts } from "tinygptv/parts";
import type { GraphOptions, ModelFiles, ModelParts, OpenedParts, Scheduler } from "tinygptv/parts";
import type { ModelGolden } from "./goldenSet.ts";

export interface Subject extends OpenedParts<"tokenizer" | "embeddings"> {
  model: ModelFiles;
  config: ModelConfig;
  /** How its graphs are opened. */
  options: GraphOptions;
}

/** With the language model in memory. */
export interface SpeakingSubject extends Subject {
  languageModel: ModelParts["languageModel"];
  scheduler: Scheduler;
}

/** Opens what takes no memory; graphs are opened one after the other, by the checks that run them. */
export async function openSubject(
  folder: string,
  wanted: string | undefined,
  given: Pick<GraphOptions, "openSession" | "execution">,
): Promise<Subject> {
  const manifest = await readManifest(folder);
  const level = wanted ?? ("fp32" in manifest.levels ? "fp32" : manifest.defaultLevel);
  const model = { folder, manifest, files: graphsOf(manifest, level) };
  const options = { ...given, prepacked: false } as const;
  const parts = await openParts(model, ["tokenizer", "embeddings"], options);
  return { ...parts, model, config: manifest.config, options };
}

/** Loads the language model for as long as `use` takes. */
export async function withLanguageModel(
  subject: Subject,
  use: (subject: SpeakingSubject) => Promise<void>,
): Promise<void> {
  const { languageModel, close } = await openParts(
    subject.model,
    ["languageModel"],
    subject.options,
  );
  const scheduler = createScheduler(languageModel, { maxBatch: 8 });
  await use({ ...subject, languageModel, scheduler }).finally(close);
}

/** Embeddings of a prompt whose pictures are already encoded. [positions, width] */
export function embedPrompt(
  { embeddings, config }: Subject,
  segments: readonly (readonly number[])[],
  pictures: readonly Float32Array[],
): Float32Array {
  const { width } = config.phi;
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

/** A prompt of the golden data, whose tokens are given. @param features image features by picture */
export function embedGoldenPrompt(
  subject: Subject,
  { segment_ids, images }: NonNullable<ModelGolden["prompts"]>[number],
  features: readonly Float32Array[],
): Float32Array {
  return embedPrompt(
    subject,
    segment_ids,
    images.map((image) => features[image]!),
  );
}

/** A text cut at its picture marks, each piece tokenised on its own. */
export function encodeSegments({ tokenizer }: Subject, text: string): number[][] {
  return encodePrompt(tokenizer, text);
}
