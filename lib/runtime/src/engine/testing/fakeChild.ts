/**
 * An engine process without weights, for tests. Folders are `name=level,level`;
 * what a prompt does is its first word, see `behaviours`.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import type { GenerateEvent, ModelInfo } from "@tinygptv/protocol";
import type { Model } from "../../model.ts";
import { DeviceLost } from "../../session/deviceLost.ts";
import { hostModels } from "../host.ts";

type Behaviour = (
  argument: string,
  signal: AbortSignal | undefined,
  images: readonly Uint8Array[],
) => AsyncIterable<string>;

/** Numbers of arrays, in the order in which they were first seen. */
const numbers = new WeakMap<Uint8Array, number>();
let lastNumber = 0;
const numberOf = (image: Uint8Array) => {
  if (!numbers.has(image)) numbers.set(image, ++lastNumber);
  return numbers.get(image)!;
};

const behaviours: Record<string, Behaviour> = {
  /** `count 5`: five words, a millisecond apart. */
  async *count(argument, signal) {
    for (let i = 1; i <= Number(argument); i++) {
      await sleep(1);
      throwIfAborted(signal);
      yield `${i} `;
    }
  },
  /** `pictures 50`: after so many milliseconds, which ones came, and what is in them. */
  async *pictures(argument, _signal, images) {
    await sleep(Number(argument));
    yield images.map((image) => `${numberOf(image)}:${image.join(",")}`).join(" ");
  },
  async *pid() {
    yield String(process.pid);
  },
  /** Dies as from a fault in native code. */
  async *crash() {
    yield "about to die ";
    process.kill(process.pid, "SIGKILL");
    await sleep(10_000);
  },
  /** A defect in the pipeline. */
  async *throw() {
    yield "oops ";
    throw new TypeError("x is undefined");
  },
  /** A device that fails, which the process cannot use any more. */
  async *lose() {
    yield "on a device ";
    throw new DeviceLost(new Error("out of memory"));
  },
  async *refuse() {
    yield* [];
    throw new TinyGptvError("parameter", "topK: want less, got more", { subject: "topK" });
  },
  /** Blocks its thread for ever, as a hung native call does. */
  async *block() {
    yield "stuck ";
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  /** `busy 700`: blocks its thread for so long, as a slow native call does. */
  async *busy(argument) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(argument));
    yield "done";
  },
  /** Waits for ever and does not listen to aborts. */
  async *deaf() {
    yield "waiting ";
    await new Promise(() => {});
  },
};

function infoOf(name: string, level: string): ModelInfo {
  return {
    id: `${name}:${level}`,
    name,
    level,
    weights: "random",
    fileBytes: 10,
    memoryBytes: 100,
    contextLength: 100,
    imageSize: 28,
    loaded: false,
    executionProvider: undefined,
    integerWeights: undefined,
  };
}

function fakeModel(info: ModelInfo, execution: string): Model {
  let generatedTokens = 0;
  return {
    info: { ...info, loaded: true, executionProvider: "fake", execution },
    answer: () => Promise.reject(new Error("the engine asks for streams")),
    async *generate(request, images, { signal } = {}): AsyncGenerator<GenerateEvent> {
      const prompt = request.rounds.at(-1)?.prompt ?? "";
      const [word = "", argument = ""] = prompt.split(" ");
      yield { type: "start", model: info.id, promptText: prompt, images: [] };
      let text = "";
      for await (const delta of behaviours[word]!(argument, signal, images)) {
        generatedTokens += 1;
        text += delta;
        yield { type: "delta", text: delta };
      }
      yield {
        type: "end",
        hypotheses: [{ text, tokens: [], boxes: [], finishReason: "stop" }],
        usage: { promptTokens: 1, imageTokens: 0, completionTokens: 1, cachedTokens: 0 },
        timings: { queue: 0, image: images.length, prefill: 0, decode: 0, total: 0 },
      };
    },
    async score(_request, _images, { signal } = {}) {
      await sleep(10_000, undefined, { signal }).catch(() => throwIfAborted(signal));
      throw new Error("never asked for its result");
    },
    tokenize: (text) => Array.from(text, (char) => ({ id: char.charCodeAt(0), text: char })),
    detokenize: (ids) => String.fromCharCode(...ids),
    async preprocess(image) {
      const png = image.map((byte) => 255 - byte);
      return { width: 1, height: 2, size: 28, tensorHash: "", png };
    },
    counters: () => ({
      imageCacheHits: 0,
      imageCacheMisses: 0,
      prefixCachedTokens: 0,
      generatedTokens,
      batchSize: 0,
    }),
    async close() {},
  };
}

hostModels({
  async list(folder) {
    if (folder === "missing") throw new TinyGptvError("model", "missing: no manifest.json");
    if (folder === "unstartable") process.exit(3);
    const [name = "", levels = ""] = folder.split("=");
    return levels.split(",").map((level) => infoOf(name, level));
  },
  async open(folder, { level, provider, precision }) {
    await sleep(5);
    return fakeModel(infoOf(folder.split("=")[0] ?? "", level), `${provider} ${precision}`);
  },
});
