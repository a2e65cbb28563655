import { TinyGptvError, decodingDefaults } from "@tinygptv/protocol";
import type {
  CopiesNews,
  CopiesState,
  Engine,
  ModelInfo,
  PrecisionChoice,
  Provider,
} from "@tinygptv/protocol";
import { scoringRows } from "../decoding/scoring.ts";
import { createAdmission } from "./admission.ts";
import { answerStream, untilAborted } from "./answerStream.ts";
import type { CallHandlers } from "./answerStream.ts";
import type { Admission } from "./admission.ts";
import { keepRunning } from "./connection.ts";
import { startEngineProcess } from "./engineProcess.ts";
import type { Call, CallResults } from "./messages.ts";

/** What an engine runs, and its bounds. */
export interface EngineOptions {
  /** Converted model folders; the first level of the first one is the default model. */
  models: readonly string[];
  /** Answers worked on at once, and rows in one forward pass of a model. */
  maxBatch?: number;
  /** Requests of one client that may wait, and a fourth of those that may in all; one more is refused with `busy`. */
  queueLimit?: number;
  /** Bytes that loaded models may need together; the least recently used goes first. No limit where not given. */
  memoryLimit?: number;
  /**
   * Bytes for keys and values of each model's running answers, kept prefixes
   * included; what does not fit waits. Unless given, room for a whole context
   * and eight short answers.
   */
  cacheBytes?: number;
  /** Milliseconds without a call after which a model is unloaded. Never where not given. */
  idleUnload?: number;
  /**
   * Milliseconds without a sign of life after which the process counts as hung
   * and is replaced; 30 s unless given. A thread of its own gives one every
   * second, also while ONNX Runtime computes or loads.
   */
  hangTimeout?: number;
  /**
   * Milliseconds after which a process that lives but gets nothing done is
   * replaced; 300 s unless given. Nothing is heard while ONNX Runtime computes
   * or loads: longer than the slowest forward pass or model load.
   */
  stallTimeout?: number;
  /** What runs the models; the processor unless given. */
  provider?: Provider;
  /** In what precision language models compute on a GPU; the best that is right there unless given. */
  precision?: PrecisionChoice;
  /** Hears of each model that has been loaded: what runs it, and why. */
  onLoaded?: (model: ModelInfo) => void;
  /** Hears what becomes of the copies that make a model's next load quick; missing ones are made when it has been loaded. */
  onCopies?: (news: CopiesNews) => void;
  /** Module run as the engine process; it must call `hostModels`. */
  childModule?: URL;
}

/**
 * Starts an engine: the pipeline in a child process of its own, since ONNX
 * Runtime's binding blocks the event loop and a crash in it takes the process
 * along. Returns at once; the first calls wait for the process.
 *
 * A call waits in a bounded line until it has places, of `maxBatch` rows in all;
 * clients take turns, and one who has none is let in beside the others. Small
 * calls (`tokenize`, `detokenize`, `models`) have places of their own, so they
 * never wait for answers.
 */
export function createEngine(options: EngineOptions): Engine {
  const { models, maxBatch = 8, queueLimit = 64 } = options;
  const { hangTimeout = 30_000, stallTimeout = 300_000 } = options;
  requireAtLeast(1, { maxBatch, hangTimeout, stallTimeout });
  requireAtLeast(0, { queueLimit });
  if (models.length === 0) {
    throw new TinyGptvError("parameter", "models: want at least one folder, got none");
  }
  const copies: Record<string, CopiesState> = {};
  const connection = keepRunning(() =>
    startEngineProcess({
      module: options.childModule ?? new URL("./child.ts", import.meta.url),
      hangTimeout,
      stallTimeout,
      models,
      maxBatch,
      memoryLimit: options.memoryLimit,
      cacheBytes: options.cacheBytes,
      idleUnload: options.idleUnload,
      provider: options.provider,
      precision: options.precision,
      onLoaded: (model) => options.onLoaded?.(model),
      onCopies(news) {
        copies[news.model] = news.state;
        options.onCopies?.(news);
      },
    }),
  );
  const answers = createAdmission(maxBatch, queueLimit);
  const quick = createAdmission(maxBatch, queueLimit);
  let closing: Promise<void> | undefined;

  /** Carries out a call when its turn comes; the place is given back when the process has let go of it. */
  async function perform<C extends Call>(
    admission: Admission,
    call: C,
    handlers: CallHandlers,
  ): Promise<CallResults[C["method"]]> {
    if (closing) throw new TinyGptvError("engine", "engine: closed");
    const { signal } = handlers;
    const leave = await admission.enter({ client: call.client, rows: rowsOfCall(call), signal });
    try {
      const process = await connection.process();
      return await process.call(call, handlers);
    } finally {
      leave();
    }
  }

  /** A call with one answer; an abort is heard at once, whatever the process does. */
  function ask<C extends Call>(
    admission: Admission,
    call: C,
    signal?: AbortSignal,
  ): Promise<CallResults[C["method"]]> {
    return untilAborted(perform(admission, call, { signal }), signal);
  }

  return {
    models: () => ask(quick, { method: "models" }),
    generate: (request, images, { signal, ...whose } = {}) => ({
      [Symbol.asyncIterator]() {
        const call = { method: "generate", ...whose, request, images } as const;
        return answerStream((handlers) => perform(answers, call, handlers), signal);
      },
    }),
    score: (request, images, { signal, ...whose } = {}) =>
      ask(answers, { method: "score", ...whose, request, images }, signal),
    tokenize: (text, { signal, ...whose } = {}) =>
      ask(quick, { method: "tokenize", ...whose, text }, signal),
    detokenize: (ids, { signal, ...whose } = {}) =>
      ask(quick, { method: "detokenize", ...whose, ids }, signal),
    preprocess: (image, mode, { signal, ...whose } = {}) =>
      ask(answers, { method: "preprocess", ...whose, image, mode }, signal),
    accepts: answers.accepts,
    status: () => ({
      state: closing ? "closed" : connection.state,
      running: answers.running,
      queued: answers.queued,
      queueLimit,
      restarts: connection.restarts,
      rssBytes: connection.status()?.rssBytes ?? 0,
      loadedModels: connection.status()?.loadedModels ?? [],
      executionProviders: connection.status()?.executionProviders ?? {},
      copies: { ...copies },
      ...connection.counters(),
    }),
    close() {
      closing ??= Promise.all([answers.empty(), quick.empty()]).then(connection.close);
      return closing;
    },
  };
}

/** Rows a call will have in a forward pass. */
function rowsOfCall(call: Call): number {
  switch (call.method) {
    case "generate": {
      const { method, numBeams } = call.request.decoding ?? {};
      return numBeams ?? (method === "beam" ? decodingDefaults.numBeams : 1);
    }
    case "score":
      return Math.min(call.request.candidates.length, scoringRows);
    default:
      return 1;
  }
}

function requireAtLeast(min: number, options: Record<string, number>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value >= min) continue;
    throw new TinyGptvError("parameter", `${name}: want at least ${min}, got ${value}`, {
      subject: name,
    });
  }
}
