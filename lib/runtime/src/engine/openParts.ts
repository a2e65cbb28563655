/**
 * The parts of a model, opened together and closed together: by the engine, and
 * by all who look inside (comparison, verification, calibration, benchmarks).
 */
import { join } from "node:path";
import type { Session } from "@tinygptv/graph";
import { components, loadTokenizer } from "@tinygptv/model";
import type { Component, Manifest, Tokenizer } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { openEmbeddings } from "../session/embeddings.ts";
import type { TokenEmbeddings } from "../session/embeddings.ts";
import { checkPorts } from "../session/graphPorts.ts";
import { createLanguageModel } from "../session/languageModel.ts";
import { findRowCounts } from "../session/rowCounts.ts";
import { threadsFor } from "../session/runtime.ts";
import { openGraph } from "./openGraph.ts";
import type { GraphOptions } from "./openGraph.ts";

/** A model of a converted folder; its graphs may come from different levels. */
export interface ModelFiles {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Paths inside the folder. */
  readonly files: Readonly<Record<Component, string>>;
}

/** Everything a model consists of, by the name it is asked for. */
export interface ModelParts extends Record<Component, Session> {
  tokenizer: Tokenizer;
  embeddings: TokenEmbeddings;
  /** `phi` over `embeddings`, with its cache. */
  languageModel: ReturnType<typeof createLanguageModel>;
}
export type Part = keyof ModelParts;

/** How parts are opened. */
export interface PartOptions extends GraphOptions {
  /** What keys and values of the language model may take; no limit unless given. */
  cacheBytes?: number | undefined;
}

/** The parts that were asked for, open. */
export type OpenedParts<Wanted extends Part> = Pick<ModelParts, Wanted> & {
  /** Lets go of everything; once, however often it is called. */
  close(): Promise<void>;
};

/** The graphs of one level. @throws TinyGptvError "model" where there is no such level */
export function graphsOf(manifest: Manifest, level: string): ModelFiles["files"] {
  const files = Object.hasOwn(manifest.levels, level) ? manifest.levels[level] : undefined;
  if (files) return files;
  throw new TinyGptvError(
    "model",
    `${manifest.name}: level: want one of ${Object.keys(manifest.levels).join(", ")}, got ${level}`,
    { subject: level },
  );
}

/**
 * Opens the parts asked for, and what they stand on. Where one fails, those
 * opened before it are closed.
 * @throws TinyGptvError "model" naming the file at fault
 */
export async function openParts<Wanted extends Part>(
  model: ModelFiles,
  wanted: readonly Wanted[],
  options: PartOptions = {},
): Promise<OpenedParts<Wanted>> {
  const { folder, manifest, files } = model;
  const { config } = manifest;
  const closers: (() => void | Promise<void>)[] = [];
  const opened: Partial<ModelParts> = {};

  async function graph(component: Component): Promise<Session> {
    const file = files[component];
    const threads = options.threads ?? threadsFor(config);
    const session = await openGraph(folder, manifest, file, { ...options, threads });
    closers.push(() => session.release());
    checkPorts(join(folder, file), component, config, session);
    return session;
  }

  const openers: { [Name in Part]: () => Promise<ModelParts[Name]> } = {
    vision: () => graph("vision"),
    qformer: () => graph("qformer"),
    mapping: () => graph("mapping"),
    phi: () => graph("phi"),
    tokenizer: () => loadTokenizer(join(folder, manifest.tokenizer)),
    async embeddings() {
      const { file, dtype } = manifest.embeddings;
      const { vocabSize, width } = config.phi;
      const embeddings = openEmbeddings(join(folder, file), dtype, vocabSize, width);
      closers.push(embeddings.close);
      return embeddings;
    },
    async languageModel() {
      const phi = await open("phi");
      const rowCounts = await findRowCounts(phi, config.phi);
      const embeddings = await open("embeddings");
      return createLanguageModel(phi, embeddings, config.phi, rowCounts, options.cacheBytes);
    },
  };

  async function open<Name extends Part>(name: Name): Promise<ModelParts[Name]> {
    return (opened[name] ??= await openers[name]());
  }

  let closing: Promise<void> | undefined;
  const close = () => (closing ??= closeAll(closers));
  try {
    for (const name of wanted) await open(name);
  } catch (error) {
    await close().catch(() => {}); // what went wrong first is what counts
    throw error;
  }
  return { ...(opened as Pick<ModelParts, Wanted>), close };
}

/** Everything a model answers with. */
export const wholeModel = [
  ...components,
  "tokenizer",
  "embeddings",
  "languageModel",
] as const satisfies readonly Part[];

/** In the reverse order; one that fails keeps none of the others open. */
async function closeAll(closers: readonly (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const closer of closers.toReversed())
    await Promise.resolve()
      .then(closer)
      .catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
