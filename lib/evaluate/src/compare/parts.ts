/** One component of a model at a time, so that comparing takes no more memory than the largest. */
import { readFile } from "node:fs/promises";
import type { Session } from "@tinygptv/graph/session";
import { clipMean, clipStd } from "@tinygptv/model";
import type { Manifest } from "@tinygptv/model";
import { throwIfAborted } from "@tinygptv/protocol";
import {
  adaptersIn,
  buildPrompt,
  decodeImage,
  encodeImage,
  encodePrompt,
  noAdapters,
  openParts,
  preprocess,
} from "tinygptv/parts";
import type {
  Execution,
  LanguageModel,
  ModelFiles,
  TokenEmbeddings,
  Tokenizer,
} from "tinygptv/parts";

/** A model, and perhaps an adapter beside it. */
export interface AnsweringModel extends ModelFiles {
  readonly adapter?: string | undefined;
}

/** Image features [queries, width] by picture path. */
export type Features = ReadonlyMap<string, Float32Array>;

/** A level that is only compared leaves no pre-packed copies behind. */
const asPublished = { prepacked: false } as const;

/** A picture as the model's vision encoder takes it: [3,size,size]. */
export async function readPixelValues(path: string, { config }: Manifest): Promise<Float32Array> {
  const picture = await decodeImage(await readFile(path), { mode: "display" });
  return preprocess(picture, { size: config.vision.imageSize, mean: clipMean, std: clipStd });
}

export async function encodePictures(
  model: AnsweringModel,
  pictures: Iterable<string>,
  { signal, execution }: { signal?: AbortSignal | undefined; execution?: Execution } = {},
): Promise<Features> {
  const { manifest, adapter } = model;
  const sessions = await openParts(model, ["vision", "qformer", "mapping"], {
    ...asPublished,
    execution,
  });
  let own: Session | undefined;
  try {
    if (adapter !== undefined)
      own = await (await adaptersIn(model, {}).read(adapter)).openMapping();
    const mapping = own ?? sessions.mapping;
    const features = new Map<string, Float32Array>();
    for (const path of pictures) {
      throwIfAborted(signal);
      if (features.has(path)) continue;
      const pixelValues = await readPixelValues(path, manifest);
      features.set(path, await encodeImage({ ...sessions, mapping }, pixelValues, manifest.config));
    }
    return features;
  } finally {
    await own?.release();
    await sessions.close();
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

export async function openLanguage(
  files: AnsweringModel,
  execution?: Execution,
): Promise<Language> {
  const { languageModel, adapters, ...parts } = await openParts(
    files,
    ["tokenizer", "embeddings", "languageModel", "adapters"],
    { ...asPublished, execution },
  );
  const { endOfText, stop } = files.manifest.config.tokens;
  const ends = new Set([endOfText, stop]);
  if (files.adapter === undefined) return { ...parts, model: languageModel, ends };
  try {
    if (!adapters) throw noAdapters(files.manifest.name, execution?.provider);
    const adapter = await adapters.open(files.adapter);
    const model = { ...languageModel, create: () => languageModel.create(adapter) };
    return { ...parts, model, ends };
  } catch (error) {
    await parts.close();
    throw error;
  }
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
