/** What a deployment sets, in environment variables. */
import { z } from "zod";
import { TinyGptvError, precisions, providers } from "@tinygptv/protocol";
import type { PrecisionChoice, Provider } from "@tinygptv/protocol";
import { configSchema } from "./config.ts";
import type { Config } from "./config.ts";
import { memoryStoreBytes } from "./store/openStore.ts";

const number = z.string().regex(/^\d+$/, "want a whole number").transform(Number);
const atLeastOne = number.refine((value) => value >= 1, "want at least 1");
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

const variables = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: number.default(8000),
  /** Converted model folders; `store:NAME` is pulled from the store first. */
  TINYGPTV_MODELS: list.prefault("models/nano/converted"),
  /** `memory`, `blob` (Vercel Blob, credentials as its client takes them) or a folder. */
  TINYGPTV_STORE: z.string().min(1).default("data/store"),
  /** Where models from the store are kept on this machine's disk. */
  TINYGPTV_MODEL_CACHE: z.string().min(1).default("data/models"),
  TINYGPTV_KEYS: list.prefault(""),
  TINYGPTV_CORS_ORIGINS: list.prefault(""),
  TINYGPTV_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  TINYGPTV_LOG_CONTENT: z.stringbool().default(false),
  TINYGPTV_MAX_BATCH: number.default(8),
  TINYGPTV_QUEUE_LIMIT: number.default(64),
  /** Bytes that loaded models may need together. */
  TINYGPTV_MEMORY_LIMIT: number.optional(),
  /** Bytes for keys and values of each model's running answers. */
  TINYGPTV_CACHE_BYTES: atLeastOne.optional(),
  /** Seconds without a request after which a model is unloaded. */
  TINYGPTV_IDLE_UNLOAD: number.optional(),
  /** What runs models. */
  TINYGPTV_PROVIDER: z.enum(providers).default("auto"),
  /** In what precision language models compute on a GPU. */
  TINYGPTV_PRECISION: z.enum(precisions).default("auto"),
  /** Seconds without a sign of life after which the engine process is replaced. */
  TINYGPTV_HANG_TIMEOUT: atLeastOne.default(30),
  /** Seconds after which an engine process that lives but gets nothing done is replaced. */
  TINYGPTV_STALL_TIMEOUT: atLeastOne.default(300),
  /** Seconds a shutdown waits for answers in progress. */
  TINYGPTV_SHUTDOWN_GRACE: number.default(30),
  TINYGPTV_CONCURRENCY_PER_KEY: number.optional(),
  TINYGPTV_GENERATION_MS: number.optional(),
  TINYGPTV_BODY_BYTES: number.optional(),
  TINYGPTV_BODY_MS: number.optional(),
  TINYGPTV_IMAGE_BYTES: number.optional(),
  TINYGPTV_IMAGES_PER_REQUEST: number.optional(),
  TINYGPTV_IMAGE_BYTES_PER_REQUEST: number.optional(),
  /** Bytes of bodies, and as many of pictures, that all requests hold at once. */
  TINYGPTV_BYTES_IN_FLIGHT: number.optional(),
  TINYGPTV_JSON_DEPTH: number.optional(),
  TINYGPTV_JSON_VALUES: number.optional(),
  TINYGPTV_NOTEBOOK_BYTES: number.optional(),
  TINYGPTV_STORE_BYTES: number.optional(),
  TINYGPTV_STORE_BYTES_PER_KEY: number.optional(),
  TINYGPTV_IMAGE_DAYS: number.optional(),
  TINYGPTV_NOTEBOOK_DAYS: number.optional(),
  /** Whether keys see each other's pictures and notebooks. */
  TINYGPTV_SHARE_STORE: z.stringbool().default(false),
  /** Connections at once. */
  TINYGPTV_CONNECTIONS: number.default(1024),
  /** Seconds an idle connection is kept. */
  TINYGPTV_KEEP_ALIVE: number.default(75),
  TINYGPTV_IMAGE_FETCH_MS: number.optional(),
  /** Whether the web's pictures and Vercel Blob are reached through HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  TINYGPTV_USE_PROXY: z.stringbool().default(false),
  TINYGPTV_IMAGE_REDIRECTS: number.optional(),
  TINYGPTV_COMPARE_CONCURRENCY: number.optional(),
  /** Folder where trainings are kept; without it nobody may train. */
  TINYGPTV_TRAINING: z.string().min(1).optional(),
  TINYGPTV_TRAININGS: number.optional(),
  TINYGPTV_TRAINING_IMAGE_BYTES: number.optional(),
});

/** Variables of our prefix that those who call an endpoint set, perhaps on the same machine. */
const ofCallers = ["TINYGPTV_API_KEY", "TINYGPTV_ENDPOINT"];

export interface Environment {
  readonly host: string;
  readonly port: number;
  readonly models: readonly string[];
  readonly store: string;
  readonly modelCache: string;
  readonly logLevel: string;
  readonly connections: number;
  readonly keepAliveMs: number;
  readonly shutdownGraceMs: number;
  readonly engine: {
    readonly maxBatch: number;
    readonly queueLimit: number;
    readonly memoryLimit: number | undefined;
    readonly cacheBytes: number | undefined;
    readonly idleUnload: number | undefined;
    readonly provider: Provider;
    readonly precision: PrecisionChoice;
    readonly hangTimeout: number;
    readonly stallTimeout: number;
  };
  readonly config: Config;
}

/** @throws TinyGptvError "parameter" naming the variable; one of our prefix that does not exist is one, too */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const unknown = Object.keys(env).find(
    (name) =>
      name.startsWith("TINYGPTV_") && !(name in variables.shape) && !ofCallers.includes(name),
  );
  if (unknown !== undefined) throw wrong(unknown, "there is no such variable");
  const { data, error } = variables.safeParse(env);
  if (error) throw wrong(String(error.issues[0]!.path[0]), error.issues[0]!.message);
  const inMemory = data.TINYGPTV_STORE === "memory";
  const config = configSchema.safeParse({
    keys: data.TINYGPTV_KEYS,
    shareStore: data.TINYGPTV_SHARE_STORE,
    corsOrigins: data.TINYGPTV_CORS_ORIGINS,
    logContent: data.TINYGPTV_LOG_CONTENT,
    useProxy: data.TINYGPTV_USE_PROXY,
    training: data.TINYGPTV_TRAINING,
    limits: {
      concurrencyPerKey: data.TINYGPTV_CONCURRENCY_PER_KEY,
      generationMs: data.TINYGPTV_GENERATION_MS,
      bodyBytes: data.TINYGPTV_BODY_BYTES,
      bodyMs: data.TINYGPTV_BODY_MS,
      imageBytes: data.TINYGPTV_IMAGE_BYTES,
      imagesPerRequest: data.TINYGPTV_IMAGES_PER_REQUEST,
      imageBytesPerRequest: data.TINYGPTV_IMAGE_BYTES_PER_REQUEST,
      bytesInFlight: data.TINYGPTV_BYTES_IN_FLIGHT,
      // As many as the engine takes: those answered and those waiting.
      preparing: data.TINYGPTV_MAX_BATCH + data.TINYGPTV_QUEUE_LIMIT || undefined,
      jsonDepth: data.TINYGPTV_JSON_DEPTH,
      jsonValues: data.TINYGPTV_JSON_VALUES,
      notebookBytes: data.TINYGPTV_NOTEBOOK_BYTES,
      storeBytes: data.TINYGPTV_STORE_BYTES ?? (inMemory ? memoryStoreBytes : undefined),
      storeBytesPerKey: data.TINYGPTV_STORE_BYTES_PER_KEY,
      imageDays: data.TINYGPTV_IMAGE_DAYS,
      notebookDays: data.TINYGPTV_NOTEBOOK_DAYS,
      imageFetchMs: data.TINYGPTV_IMAGE_FETCH_MS,
      imageRedirects: data.TINYGPTV_IMAGE_REDIRECTS,
      compareConcurrency: data.TINYGPTV_COMPARE_CONCURRENCY,
      trainings: data.TINYGPTV_TRAININGS,
      trainingImageBytes: data.TINYGPTV_TRAINING_IMAGE_BYTES,
    },
  });
  if (config.error) {
    // Keys are not shown: this text ends up in logs.
    const [issue] = config.error.issues;
    throw wrong(variableOf(issue!.path), issue!.path[0] === "keys" ? keyRule : issue!.message);
  }
  return {
    host: data.HOST,
    port: data.PORT,
    models: data.TINYGPTV_MODELS,
    store: data.TINYGPTV_STORE,
    modelCache: data.TINYGPTV_MODEL_CACHE,
    logLevel: data.TINYGPTV_LOG_LEVEL,
    connections: data.TINYGPTV_CONNECTIONS,
    keepAliveMs: data.TINYGPTV_KEEP_ALIVE * 1000,
    shutdownGraceMs: data.TINYGPTV_SHUTDOWN_GRACE * 1000,
    engine: {
      maxBatch: data.TINYGPTV_MAX_BATCH,
      queueLimit: data.TINYGPTV_QUEUE_LIMIT,
      memoryLimit: data.TINYGPTV_MEMORY_LIMIT,
      cacheBytes: data.TINYGPTV_CACHE_BYTES,
      idleUnload: data.TINYGPTV_IDLE_UNLOAD && data.TINYGPTV_IDLE_UNLOAD * 1000,
      provider: data.TINYGPTV_PROVIDER,
      precision: data.TINYGPTV_PRECISION,
      hangTimeout: data.TINYGPTV_HANG_TIMEOUT * 1000,
      stallTimeout: data.TINYGPTV_STALL_TIMEOUT * 1000,
    },
    config: config.data,
  };
}

const keyRule = "want keys of 8 to 256 letters, digits, - . _ ~ + /, separated by commas";

/** `["limits", "bodyBytes"]` -> `TINYGPTV_BODY_BYTES` */
function variableOf(path: readonly PropertyKey[]): string {
  const name = String(path[0] === "limits" ? path[1] : path[0]);
  return `TINYGPTV_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function wrong(name: string, message: string): TinyGptvError {
  return new TinyGptvError("parameter", `${name}: ${message}`, { subject: name });
}
