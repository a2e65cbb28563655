/**
 * An engine without a model, for tests of what stands around it: it answers by
 * rule, some bytes a token, and can be slowed down, crashed and filled up.
 */
import { createHash } from "node:crypto";
import { TinyGptvError, decodingDefaults, parseBoxes, throwIfAborted } from "@tinygptv/protocol";
import type {
  AnswerToken,
  CallOptions,
  Engine,
  EngineStatus,
  GenerateEvent,
  GenerateRequest,
  Hypothesis,
  ImageInfo,
  ModelInfo,
} from "@tinygptv/protocol";

export interface FakeEngineOptions {
  /** What it says; default: the last prompt and how many pictures there are. */
  answer?: (request: GenerateRequest, images: readonly Uint8Array[], model: string) => string;
  /** Milliseconds a token takes. */
  tokenMs?: number;
  /** Bytes a token stands for. */
  tokenBytes?: number;
  /** Requests at once. */
  places?: number;
  queueLimit?: number;
}

export interface FakeEngine extends Engine {
  /** Requests taken so far, in order. */
  readonly requests: {
    request: GenerateRequest;
    images: readonly Uint8Array[];
    model: string | undefined;
  }[];
  /** Kills the process there is none of: what is in flight fails, and the engine restarts until `recover()`. */
  crash(): void;
  recover(): void;
}

const levels = ["fp32", "int8", "int4"];

function modelInfo(level: string): ModelInfo {
  return {
    id: `fake:${level}`,
    name: "fake",
    level,
    weights: "fixture",
    fileBytes: 1000,
    memoryBytes: 2000,
    contextLength: 2048,
    imageSize: 448,
    loaded: level === "fp32",
    executionProvider: level === "fp32" ? "cpu" : undefined,
    integerWeights: undefined,
  };
}

const echo = ({ rounds }: GenerateRequest, images: readonly Uint8Array[]) =>
  `${rounds.at(-1)!.prompt} [${images.length}]`;

export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  const { answer = echo, tokenMs = 0, tokenBytes = 1, places = 8, queueLimit = 64 } = options;
  const requests: FakeEngine["requests"] = [];
  const seen = new Set<string>();
  const waiting: (() => void)[] = [];
  const counts = { hits: 0, misses: 0, tokens: 0, restarts: 0 };
  let state: EngineStatus["state"] = "ready";
  let running = 0;
  let died = new AbortController();

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    if (state === "closed") throw new TinyGptvError("engine", "engine: closed");
    throwIfAborted(signal);
    if (running >= places) {
      if (waiting.length >= queueLimit) throw new TinyGptvError("busy", "queue: full");
      await new Promise<void>((resolve, reject) => {
        const giveUp = () => {
          const place = waiting.indexOf(resolve);
          if (place < 0) return;
          waiting.splice(place, 1);
          reject(new TinyGptvError("aborted", "aborted by the caller"));
        };
        signal?.addEventListener("abort", giveUp, { once: true });
        waiting.push(resolve);
      });
    }
    running += 1;
  }

  function leave(): void {
    running -= 1;
    waiting.shift()?.();
  }

  function look(bytes: Uint8Array): ImageInfo {
    const header = Buffer.from(bytes);
    if (header.length < 24)
      throw new TinyGptvError("image", "image: this PNG file is damaged or cut off");
    const hash = createHash("sha256").update(bytes).digest("hex");
    const cached = seen.has(hash);
    seen.add(hash);
    counts[cached ? "hits" : "misses"] += 1;
    return { hash, width: header.readUInt32BE(16), height: header.readUInt32BE(20), cached };
  }

  /** One token's time, or the reason why there is no next one. */
  async function tick(signal: AbortSignal | undefined, life: AbortSignal): Promise<void> {
    await new Promise((resolve) =>
      tokenMs > 0 ? setTimeout(resolve, tokenMs) : setImmediate(resolve),
    );
    throwIfAborted(signal);
    if (life.aborted) throw new TinyGptvError("engine", "engine: the process died");
    counts.tokens += 1;
  }

  function finish(
    text: string,
    { stop = [...decodingDefaults.stop], maxNewTokens = 300 }: Decoding,
    images: readonly ImageInfo[],
  ): Hypothesis {
    const cut = Math.min(
      ...stop.map((one) => text.indexOf(one)).filter((at) => at >= 0),
      text.length,
    );
    const bytes = Buffer.from(text.slice(0, cut));
    const kept = bytes.subarray(0, maxNewTokens * tokenBytes);
    const tokens = Array.from({ length: Math.ceil(kept.length / tokenBytes) }, (_, i) => {
      const own = kept.subarray(i * tokenBytes, (i + 1) * tokenBytes);
      return { id: own[0]!, ...tokenOf(own) };
    });
    const shown = images.at(-1);
    return {
      text: kept.toString(),
      tokens,
      boxes: shown ? parseBoxes(kept.toString(), { ...shown, image: images.length - 1 }) : [],
      finishReason: kept.length < bytes.length ? "length" : "stop",
    };
  }

  async function* generate(
    request: GenerateRequest,
    images: readonly Uint8Array[],
    { model = "fake:fp32", signal }: CallOptions = {},
  ): AsyncGenerator<GenerateEvent> {
    await enter(signal);
    const life = died.signal;
    try {
      if (life.aborted) throw new TinyGptvError("engine", "engine: the process died");
      requests.push({ request, images, model });
      const decoding = request.decoding ?? {};
      const infos = images.map(look);
      const promptText = request.rounds.map(({ prompt }) => prompt).join("\n");
      const promptTokens = Buffer.byteLength(promptText) + 32 * images.length;
      const imageTokens = 32 * images.length;
      await tick(signal, life);
      yield { type: "start", model, promptText, images: infos };

      const said =
        answer(request, images, model) +
        (decoding.seed === undefined ? "" : ` seed ${decoding.seed}`);
      const beams = decoding.numBeams ?? 1;
      const described = (hypothesis: Hypothesis): Hypothesis => ({
        ...hypothesis,
        tokens: hypothesis.tokens.map((token, index) => describe(token, index, decoding)),
      });
      const best = described(finish(said, decoding, infos));
      if (beams > 1) {
        for (let step = 1; step <= 3; step += 1) {
          await tick(signal, life);
          yield {
            type: "beams",
            hypotheses: [{ text: best.text.slice(0, step * 3), score: -step }],
          };
        }
      } else {
        const bytes = Buffer.from(best.text);
        const decoder = new TextDecoder();
        for (const [i, token] of best.tokens.entries()) {
          await tick(signal, life);
          yield { type: "token", token };
          // Whole characters only.
          const own = bytes.subarray(i * tokenBytes, (i + 1) * tokenBytes);
          const text = decoder.decode(own, { stream: true });
          if (text !== "") yield { type: "delta", text };
        }
      }
      const hypotheses =
        beams > 1
          ? Array.from({ length: decoding.numReturnSequences ?? 1 }, (_, rank) => ({
              ...(rank === 0 ? best : described(finish(`${said} (${rank})`, decoding, infos))),
              score: -1 - rank,
            }))
          : [best];
      yield {
        type: "end",
        hypotheses,
        usage: { promptTokens, imageTokens, completionTokens: best.tokens.length, cachedTokens: 0 },
        timings: { queue: 0, image: 1, prefill: 2, decode: 3, total: 6 },
        ...(decoding.seed === undefined ? {} : { seed: decoding.seed }),
      };
    } finally {
      leave();
    }
  }

  return {
    requests,
    generate,
    models: async () => levels.map(modelInfo),
    async score({ candidates, endSymbol = "" }, images, { signal } = {}) {
      throwIfAborted(signal);
      const scored = candidates.map((text) => {
        const tokens = [...Buffer.from(text + endSymbol)].map((byte) => ({
          id: byte,
          ...tokenOf([byte]),
          logprob: -text.length,
        }));
        return { text, tokens, meanLogprob: -text.length };
      });
      const ranks = scored
        .map((_, i) => i)
        .toSorted((a, b) => scored[b]!.meanLogprob - scored[a]!.meanLogprob);
      return { candidates: scored, ranks, images: images.map(look) };
    },
    tokenize: async (text) =>
      [...Buffer.from(text)].map((byte) => ({ id: byte, text: tokenOf([byte]).text })),
    detokenize: async (ids) => Buffer.from(ids).toString(),
    async preprocess(image) {
      const { width, height } = look(image);
      return { width, height, size: 448, tensorHash: "0".repeat(64), png: image };
    },
    accepts: () => waiting.length === 0 || waiting.length < queueLimit,
    status: () => ({
      state,
      running,
      queued: waiting.length,
      queueLimit,
      batchSize: running,
      restarts: counts.restarts,
      imageCacheHits: counts.hits,
      imageCacheMisses: counts.misses,
      prefixCachedTokens: 0,
      generatedTokens: counts.tokens,
      rssBytes: 1e6,
      loadedModels: ["fake:fp32"],
      executionProviders: { "fake:fp32": "cpu" },
      copies: { "fake:fp32": "ready" },
    }),
    crash() {
      state = "restarting";
      died.abort();
    },
    recover() {
      state = "ready";
      counts.restarts += 1;
      died = new AbortController();
    },
    async close() {
      state = "closed";
    },
  };
}

type Decoding = NonNullable<GenerateRequest["decoding"]>;

/** What a token of these bytes is; they are told where its text is not all of them. */
function tokenOf(bytes: ArrayLike<number>): Pick<AnswerToken, "text" | "bytes"> {
  const own = Buffer.from(Array.from(bytes));
  const text = own.toString();
  return text.includes("\u{fffd}") ? { text, bytes: [...own] } : { text };
}

function describe(
  token: AnswerToken,
  index: number,
  { logprobs, topLogprobs = 0 }: Decoding,
): AnswerToken {
  if (!logprobs) return token;
  const alternative = { id: 63, text: "?", logprob: -Infinity };
  return {
    ...token,
    logprob: -index / 100,
    top: Array.from({ length: topLogprobs }, () => alternative),
  };
}
