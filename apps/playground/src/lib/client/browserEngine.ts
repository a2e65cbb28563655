import type { PreprocessResult } from "@tinygptv/protocol";
import { TinyGptvError } from "@tinygptv/protocol";
import { modelsPath } from "@tinygptv/protocol/http";
import { toBase64 } from "@tinygptv/notebook";
import type { LoadProgress, PageEngine, PageLevel, PageProvider } from "tinygptv/web";
import type { ModelView, PlaygroundEngine } from "./engine.ts";

/** An engine in this page, and the files that it keeps in this browser. */
export interface BrowserEngine extends PlaygroundEngine {
  levels(): Promise<PageLevel[]>;
  /** Downloads a level and opens it. */
  load(model: string, signal: AbortSignal): Promise<void>;
  /** Deletes a level's files; what runs is stopped. */
  remove(model: string): Promise<void>;
  /** Says what models run on from now on; what runs is stopped. */
  runOn(provider: PageProvider): void;
}

/** An engine in a worker of this page, which starts with the first call. */
export function browserEngine(onProgress: (progress: LoadProgress) => void): BrowserEngine {
  let provider: PageProvider = "auto";
  let opened: Promise<PageEngine> | undefined;
  function engine(): Promise<PageEngine> {
    opened ??= open(provider, onProgress);
    // A script that did not come is asked for again by the next call.
    opened.catch(() => (opened = undefined));
    return opened;
  }

  return {
    models: async () => (await engine()).models(),
    async *generate(request, pictures, options) {
      yield* (await engine()).generate(request, pictures, options);
    },
    score: async (request, pictures, options) => (await engine()).score(request, pictures, options),
    async preprocess(picture, mode = "display", model) {
      const options = model === undefined ? {} : { model };
      return toView(await (await engine()).preprocess(picture, mode, options));
    },
    levels: async () => (await engine()).levels(),
    load: async (model, signal) => (await engine()).load(model, signal),
    remove: async (model) => (await engine()).remove(model),
    runOn(chosen) {
      provider = chosen;
      const before = opened;
      opened = undefined;
      void before?.then(
        (running) => running.close(),
        () => {}, // one that did not come is not open
      );
    },
  };
}

/** Loaded when it is wanted: most people have a server. */
async function open(
  provider: PageProvider,
  onProgress: (progress: LoadProgress) => void,
): Promise<PageEngine> {
  const { createEngine } = await import("tinygptv/web");
  return createEngine({
    models: await siteModels(),
    provider,
    worker: () =>
      new Worker(new URL("../../engine-worker/index.ts", import.meta.url), { type: "module" }),
    onProgress,
  });
}

const storageKey = "siteModels";

/** Addresses of the models that the site has beside its pages: as it says now, or said when it last answered. */
async function siteModels(): Promise<string[]> {
  const answer = await fetch(`${modelsPath}index.json`, { cache: "no-cache" }).catch(
    () => undefined,
  );
  const isList = answer?.ok && answer.headers.get("content-type")?.includes("json");
  if (isList) localStorage.setItem(storageKey, await answer.text());
  const names = JSON.parse(localStorage.getItem(storageKey) ?? "[]") as string[];
  if (names.length > 0) return names.map((name) => `${modelsPath}${encodeURIComponent(name)}/`);
  throw new TinyGptvError(
    "model",
    "this browser: want a site with models for pages beside it, got one without; cells can run at an endpoint",
  );
}

function toView({ width, height, size, tensorHash, png }: PreprocessResult): ModelView {
  return {
    width,
    height,
    size,
    tensor_sha256: tensorHash,
    preview: `data:image/png;base64,${toBase64(png)}`,
  };
}
