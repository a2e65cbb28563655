/** One component of a model at a time, so that comparing takes no more memory than the largest. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { clipMean, clipStd } from "@tinygptv/model";
import type { Component, Manifest } from "@tinygptv/model";
import { throwIfAborted } from "@tinygptv/protocol";
import {
  buildPrompt,
  createLanguageModel,
  decodeImage,
  encodeImage,
  encodePrompt,
  loadTokenizer,
  openEmbeddings,
  openSession,
  preprocess,
  threadsFor,
} from "tinygptv/parts";
import type { LanguageModel, TokenEmbeddings, Tokenizer, VisionSessions } from "tinygptv/parts";

/** A model whose components may come from different levels. */
export interface ModelFiles {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: Readonly<Record<Component, string>>;
}

/** Image features [queries, width] by picture path. */
export type Features = ReadonlyMap<string, Float32Array>;

/** A picture as the model's vision encoder takes it: [3,size,size]. */
export async function readPixelValues(path: string, { config }: Manifest): Promise<Float32Array> {
  const picture = await decodeImage(await readFile(path), { mode: "display" });
  return preprocess(picture, { size: config.vision.imageSize, mean: clipMean, std: clipStd });
}

export async function encodePictures(
  { folder, manifest, files }: ModelFiles,
  pictures: Iterable<string>,
  signal?: AbortSignal,
): Promise<Features> {
  const { config } = manifest;
  const options = { threads: threadsFor(config) };
  const open = (component: Component) => openSession(join(folder, files[component]), options);
  const sessions: VisionSessions = {
    vision: await open("vision"),
    qformer: await open("qformer"),
    mapping: await open("mapping"),
  };
  try {
    const features = new Map<string, Float32Array>();
    for (const path of pictures) {
      throwIfAborted(signal);
      if (features.has(path)) continue;
      const pixelValues = await readPixelValues(path, manifest);
      features.set(path, await encodeImage(sessions, pixelValues, config));
    }
    return features;
  } finally {
    await Promise.all([
      sessions.vision.release(),
      sessions.qformer.release(),
      sessions.mapping.release(),
    ]);
  }
}

export interface Language {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly embeddings: TokenEmbeddings;
  /** Tokens that end an answer. */
  readonly ends: ReadonlySet<number>;
  close(): Promise<void>;
}

export async function openLanguage({ folder, manifest, files }: ModelFiles): Promise<Language> {
  const { config, embeddings: stored } = manifest;
  const tokenizer = await loadTokenizer(join(folder, manifest.tokenizer));
  const session = await openSession(join(folder, files.phi), { threads: threadsFor(config) });
  const { vocabSize, width } = config.phi;
  const embeddings = openEmbeddings(join(folder, stored.file), stored.dtype, vocabSize, width);
  return {
    model: createLanguageModel(session, embeddings, config.phi),
    tokenizer,
    embeddings,
    ends: new Set([config.tokens.endOfText, config.tokens.stop]),
    async close() {
      await session.release();
      embeddings.close();
    },
  };
}

/** A prompt about one picture, the picture's features among the token embeddings: [positions, width]. */
export function embedPrompt(
  { tokenizer, embeddings, model }: Language,
  prompt: string,
  features: Float32Array,
): Float32Array {
  const text = buildPrompt({ rounds: [{ prompt }], template: "stage4", imageCount: 1 });
  const [before, after] = encodePrompt(tokenizer, text) as [number[], number[]];
  const start = before.length * model.width;
  const embeds = new Float32Array(start + features.length + after.length * model.width);
  embeddings.lookUp(before, embeds, 0);
  embeds.set(features, start);
  embeddings.lookUp(after, embeds, start + features.length);
  return embeds;
}

/** The answer without its end token, as text. */
export function answerText({ tokenizer, ends }: Language, tokens: readonly number[]): string {
  return tokenizer.decode(tokens.filter((token) => !ends.has(token)));
}
