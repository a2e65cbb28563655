/** The model under test, with what the checks need of it. */
import { join } from "node:path";
import { readManifest } from "@tinygptv/model";
import type { Manifest, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import {
  createLanguageModel,
  createScheduler,
  encodePrompt,
  loadTokenizer,
  openEmbeddings,
  openSession,
  threadsFor,
} from "tinygptv/parts";
import type { LanguageModel, Scheduler, TokenEmbeddings, Tokenizer } from "tinygptv/parts";

export interface Subject {
  folder: string;
  manifest: Manifest;
  level: string;
  config: ModelConfig;
  tokenizer: Tokenizer;
  embeddings: TokenEmbeddings;
  languageModel: LanguageModel;
  scheduler: Scheduler;
  close(): Promise<void>;
}

export async function openSubject(folder: string, wanted: string | undefined): Promise<Subject> {
  const manifest = await readManifest(folder);
  const level = wanted ?? ("fp32" in manifest.levels ? "fp32" : manifest.defaultLevel);
  const graphs = manifest.levels[level];
  if (!graphs)
    throw new TinyGptvError(
      "model",
      `${folder}: level: want one of ${Object.keys(manifest.levels).join(", ")}, got ${level}`,
    );
  const { config } = manifest;
  const session = await openSession(join(folder, graphs.phi), { threads: threadsFor(config) });
  const { file, dtype } = manifest.embeddings;
  const embeddings = openEmbeddings(
    join(folder, file),
    dtype,
    config.phi.vocabSize,
    config.phi.width,
  );
  const languageModel = createLanguageModel(session, embeddings, config.phi);
  return {
    folder,
    manifest,
    level,
    config,
    tokenizer: await loadTokenizer(join(folder, manifest.tokenizer)),
    embeddings,
    languageModel,
    scheduler: createScheduler(languageModel, { maxBatch: 8, prefillChunk: 128 }),
    async close() {
      await session.release();
      embeddings.close();
    },
  };
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
