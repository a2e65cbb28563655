/**
 * The parts of a model, opened together and closed together, wherever its files
 * are: by the engine, by the engine in a page, and by all who look inside
 * (comparison, verification, calibration, benchmarks).
 */
import type { Session } from "@tinygptv/graph/session";
import { components } from "@tinygptv/model";
import type { Component, Manifest, Tokenizer } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import type { TokenEmbeddings } from "../session/embeddings.ts";
import { openPlain, type PlainSession } from "../session/adapter.ts";
import { checkPorts } from "../session/graphPorts.ts";
import { hostPasses } from "../session/hostPass.ts";
import type { CacheStorage } from "../session/cacheStorage.ts";
import { createLanguageModel } from "../session/languageModel.ts";
import type { PassRunner } from "../session/pass.ts";
import { findRowCounts } from "../session/rowCounts.ts";
import { createAdapters, type AdapterSource, type OpenAdapters } from "./adapters.ts";

/** A model's files and what they are opened with: on a disk (openParts.ts) or handed in. */
export interface OpenableModel {
  readonly manifest: Manifest;
  /** What messages call a file. @param path inside the model folder */
  nameOf(path: string): string;
  /** Graph of each component, by its path inside the model folder. */
  readonly graphs: Readonly<Record<Component, string>>;
  /** @throws TinyGptvError "model" */
  openGraph(path: string): Promise<Session>;
  /** Where its graphs run on a device instead, in forms of their own. */
  readonly onDevice?: OnDevice | undefined;
  /** Where adapters beside it come from; undefined where there can be none. */
  readonly adapters?: AdapterSource | undefined;
  /** @throws TinyGptvError "model", "io" */
  openTokenizer(): Promise<Tokenizer>;
  /** @throws TinyGptvError "model" */
  openEmbeddings(): Promise<TokenEmbeddings>;
}

/** A model's graphs on a device. */
export interface OnDevice {
  /** @throws TinyGptvError "model", "engine" */
  openGraph(component: Component): Promise<Session>;
  /** Passes of the language model's graph. */
  openPasses(phi: Session, embeddings: TokenEmbeddings): Promise<PassRunner<CacheStorage>>;
}

/** Everything a model consists of, by the name it is asked for. */
export interface ModelParts extends Record<Component, Session> {
  tokenizer: Tokenizer;
  embeddings: TokenEmbeddings;
  /** `phi` over `embeddings`, with its cache. */
  languageModel: ReturnType<typeof createLanguageModel>;
  /** Beside `phi`; undefined where there can be none. */
  adapters: OpenAdapters | undefined;
}
export type Part = keyof ModelParts;

/** The parts that were asked for, open. */
export type OpenedParts<Wanted extends Part> = Pick<ModelParts, Wanted> & {
  /** Lets go of everything; once, however often it is called. */
  close(): Promise<void>;
};

/** The graphs of one level. @throws TinyGptvError "model" where there is no such level */
export function graphsOf(manifest: Manifest, level: string): OpenableModel["graphs"] {
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
 * @param cacheBytes what keys and values of the language model may take; no limit unless given
 * @throws TinyGptvError "model" naming the file at fault
 */
export async function assembleParts<Wanted extends Part>(
  model: OpenableModel,
  wanted: readonly Wanted[],
  cacheBytes?: number,
): Promise<OpenedParts<Wanted>> {
  const { config } = model.manifest;
  const closers: (() => void | Promise<void>)[] = [];
  const opened: Partial<ModelParts> = {};

  async function graph<Opened extends Session>(
    component: Component,
    openGraph: (path: string) => Promise<Opened>,
  ): Promise<Opened> {
    const file = model.graphs[component];
    const session = await openGraph(file);
    closers.push(() => session.release());
    if (!model.onDevice) checkPorts(model.nameOf(file), component, config, session);
    return session;
  }
  const plainGraph = (component: Component) =>
    graph(component, (path) => model.onDevice?.openGraph(component) ?? model.openGraph(path));
  const { adapters: source } = model;
  /** What adapters can be beside. */
  let adaptable: PlainSession | undefined;

  const openers: { [Name in Part]: () => Promise<ModelParts[Name]> } = {
    vision: () => plainGraph("vision"),
    qformer: () => plainGraph("qformer"),
    mapping: () => plainGraph("mapping"),
    async phi() {
      if (!source) return plainGraph("phi");
      adaptable = await graph("phi", (path) =>
        openPlain(
          () => model.openGraph(path),
          () => source.openAdaptable(path),
          source.isSmall,
        ),
      );
      return adaptable;
    },
    tokenizer: () => model.openTokenizer(),
    async embeddings() {
      const embeddings = await model.openEmbeddings();
      closers.push(embeddings.close);
      return embeddings;
    },
    async languageModel() {
      const phi = await open("phi");
      const embeddings = await open("embeddings");
      const passes: PassRunner<CacheStorage> = model.onDevice
        ? await model.onDevice.openPasses(phi, embeddings)
        : hostPasses(phi, embeddings, config.phi, await findRowCounts(phi, config.phi));
      closers.push(() => passes.close());
      return createLanguageModel(passes, config.phi, cacheBytes);
    },
    async adapters() {
      await open("phi");
      if (!source || !adaptable) return undefined;
      const adapters = createAdapters(source, adaptable, config);
      closers.push(adapters.close);
      return adapters;
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
  "adapters",
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
