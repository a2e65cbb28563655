/** The engine in a page, from the page: carries calls to the worker that has the models. */
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import type { Engine, GenerateEvent } from "@tinygptv/protocol";
import { answerStream, untilAborted } from "../engine/answerStream.ts";
import type { CallHandlers } from "../engine/answerStream.ts";
import { fromWire } from "../engine/messages.ts";
import type { Call, CallResults } from "../engine/messages.ts";
import type { FromWorker, LoadProgress, PageLevel, PageProvider, ToWorker } from "./messages.ts";

/** What an engine in a page runs. */
export interface EngineOptions {
  /** Addresses of converted model folders on a file server; a relative one is taken from the address of the page. */
  models: readonly string[];
  /** Starts the worker: a module of yours that calls `hostModels` of `tinygptv/web/worker`. */
  worker: () => Worker;
  /** What models run on; `auto` unless given. */
  provider?: PageProvider;
  /** Answers worked on at once, and rows in one forward pass; 8 unless given. */
  maxBatch?: number;
  /** Hears how downloads go on, whoever asked for them. */
  onProgress?: (progress: LoadProgress) => void;
}

/**
 * TinyGPT-V in the browser that shows the page. A level that is not here yet is
 * downloaded by the first call that asks for it, which its signal stops; what
 * had come by then is kept. All methods reject with TinyGptvError.
 */
export interface PageEngine extends Pick<
  Engine,
  "models" | "generate" | "score" | "tokenize" | "detokenize" | "preprocess"
> {
  /** All levels, with what they take to download. */
  levels(): Promise<PageLevel[]>;
  /** Downloads a level and opens it; goes on where an earlier download ended. */
  load(model?: string, signal?: AbortSignal): Promise<void>;
  /** Deletes a level's files from this browser, but for those of other levels that are here; what runs is stopped. */
  remove(model: string): Promise<void>;
  /** Stops what runs and frees all memory. */
  close(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onEvent: ((event: GenerateEvent) => void) | undefined;
}

/** Starts no worker before the first call. */
export function createEngine(options: EngineOptions): PageEngine {
  const { provider = "auto", maxBatch = 8, onProgress } = options;
  const models = options.models.map((address) => new URL(address, location.href).href);
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let worker: Worker | undefined;

  function hear(message: FromWorker): void {
    switch (message.type) {
      case "progress":
        return onProgress?.(message.progress);
      case "event":
        return pending.get(message.id)?.onEvent?.(message.event);
      case "result":
        return pending.get(message.id)?.resolve(message.value);
      case "error":
        return pending.get(message.id)?.reject(fromWire(message.error));
      case "lost":
        return stop(message.because);
    }
  }

  function running(): Worker {
    if (worker) return worker;
    const started = options.worker();
    started.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => hear(data));
    started.addEventListener("error", ({ message }) => stop(message || "its script did not load"));
    worker = started;
    post({ type: "start", options: { models, maxBatch, provider } });
    return started;
  }

  const post = (message: ToWorker): void => running().postMessage(message);

  /** Ends the worker; the next call starts another. */
  function stop(how: string): void {
    worker?.terminate();
    worker = undefined;
    const error = new TinyGptvError("engine", `the engine in this page: ${how}`);
    for (const call of pending.values()) call.reject(error);
  }

  /** Settles only when the worker has let go of it: an abort is passed on. */
  async function ask<Result>(
    message: (id: number) => ToWorker,
    { signal, onEvent }: CallHandlers = {},
  ): Promise<Result> {
    throwIfAborted(signal);
    const id = ++lastId;
    const { promise, ...settle } = Promise.withResolvers<unknown>();
    const onAbort = () => post({ type: "cancel", id });
    signal?.addEventListener("abort", onAbort, { once: true });
    pending.set(id, { ...settle, onEvent });
    try {
      post(message(id));
      return (await promise) as Result;
    } finally {
      pending.delete(id);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  const call = <C extends Call>(one: C, handlers: CallHandlers = {}) =>
    untilAborted(
      ask<CallResults[C["method"]]>((id) => ({ type: "call", id, call: one }), handlers),
      handlers.signal,
    );

  return {
    models: () => call({ method: "models" }),
    generate: (request, images, { signal, ...whose } = {}) => ({
      [Symbol.asyncIterator]() {
        const one = { method: "generate", ...whose, request, images } as const;
        return answerStream((handlers) => call(one, handlers), signal);
      },
    }),
    score: (request, images, { signal, ...whose } = {}) =>
      call({ method: "score", ...whose, request, images }, { signal }),
    tokenize: (text, { signal, ...whose } = {}) =>
      call({ method: "tokenize", ...whose, text }, { signal }),
    detokenize: (ids, { signal, ...whose } = {}) =>
      call({ method: "detokenize", ...whose, ids }, { signal }),
    preprocess: (image, mode, { signal, ...whose } = {}) =>
      call({ method: "preprocess", ...whose, image, mode }, { signal }),
    levels: () => ask((id) => ({ type: "levels", id })),
    load: (model, signal) =>
      untilAborted(
        ask((id) => ({ type: "load", id, model }), { signal }),
        signal,
      ),
    async remove(model) {
      await ask((id) => ({ type: "remove", id, model }));
      stop("a level was removed");
    },
    close: () => stop("closed"),
  };
}
