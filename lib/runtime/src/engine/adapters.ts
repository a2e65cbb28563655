/** The adapters beside a model: each opened when it is first asked for, and opened anew when it has changed. */
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import type { AdapterManifest, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import {
  adapterOf,
  type AdaptableSession,
  type Adapter,
  type PlainSession,
} from "../session/adapter.ts";

/** Where a model's adapters come from. */
export interface AdapterSource {
  /**
   * What there is of one, without its weights.
   * @throws TinyGptvError "model" for one that is not there, naming those that are
   */
  read(name: string): Promise<OpenableAdapter>;
  /** Opens the language model's graph with places for them. @param path inside the model folder */
  openAdaptable(path: string): Promise<AdaptableSession>;
  /** Whether the language model is so small that it is in memory a second time for them. */
  readonly isSmall: boolean;
}

/** An adapter's files. */
export interface OpenableAdapter {
  /** What messages call it. */
  readonly origin: string;
  readonly manifest: AdapterManifest;
  /** Weights of the language model, as initializers; undefined where it has none. */
  openWeights(): Promise<Graph | undefined>;
  /** The mapping; undefined where it is the model's. */
  openMapping(): Promise<Session | undefined>;
}

/** An adapter beside a level. */
export interface ListedAdapter {
  readonly name: string;
  readonly bytes: number;
}

/** What is said of an adapter in any list. */
export function listedAdapter(name: string, { files }: AdapterManifest): ListedAdapter {
  return { name, bytes: files.reduce((total, { bytes }) => total + bytes, 0) };
}

/** The adapters of one open model. */
export interface OpenAdapters {
  /** @throws TinyGptvError "model" for one that is not there, or does not fit */
  open(name: string): Promise<Adapter>;
  /** Lets go of them. */
  close(): Promise<void>;
}

/** @param phi session of the language model, as `assembleParts` opens it over this source */
export function createAdapters(
  source: AdapterSource,
  phi: PlainSession,
  config: ModelConfig,
): OpenAdapters {
  /** By name; of other content it is another one. */
  const opened = new Map<string, { content: string; adapter: Promise<Adapter> }>();
  /** Of the adapters in `opened`. One whose place was taken goes when nobody answers with it any more. */
  const mappings = new Set<Session>();

  async function openFiles(name: string, files: OpenableAdapter): Promise<Adapter> {
    const weights = await files.openWeights();
    const session = weights ? await phi.beside(weights, files.origin) : phi;
    const mapping = await files.openMapping();
    if (mapping) mappings.add(mapping);
    const { bytes } = listedAdapter(name, files.manifest);
    return adapterOf({ name, bytes, session, mapping }, config.phi);
  }

  return {
    async open(name) {
      const files = await source.read(name);
      const content = files.manifest.files.map(({ sha256 }) => sha256).join();
      const known = opened.get(name);
      if (known?.content === content) return known.adapter;
      known?.adapter.then(
        ({ mapping }) => mapping && mappings.delete(mapping),
        () => {}, // who asked for it has heard of it
      );
      const entry = { content, adapter: openFiles(name, files) };
      opened.set(name, entry);
      entry.adapter.catch(() => {
        if (opened.get(name) === entry) opened.delete(name);
      });
      return entry.adapter;
    },
    async close() {
      await Promise.allSettled(Array.from(opened.values(), ({ adapter }) => adapter));
      for (const mapping of mappings) await mapping.release();
    },
  };
}

/** Who asks for an adapter where there can be none. */
export function noAdapters(id: string, runsOn: string | undefined): TinyGptvError {
  return new TinyGptvError(
    "parameter",
    `model: want one without an adapter, as ${id} runs on ${runsOn} and adapters can be beside models on the processor only; merge it into a new model (tinygptv merge), or have the processor run this one`,
    { subject: "model" },
  );
}
