/**
 * What the supervisor and the engine process say to each other, over Node's
 * IPC channel with structured-clone serialisation (typed arrays stay typed arrays).
 */
import { TinyGptvError } from "@tinygptv/protocol";
import type {
  CopiesNews,
  ErrorCode,
  GenerateEvent,
  GenerateRequest,
  ModelInfo,
  PrecisionChoice,
  PreprocessResult,
  Provider,
  ScoreRequest,
  ScoreResult,
} from "@tinygptv/protocol";
import type { Model } from "../model.ts";

interface ForModel {
  /** `name:level`, `name`, or undefined for the first. */
  model?: string | undefined;
  /** On whose behalf; clients take turns. */
  client?: string | undefined;
}

export type Call =
  | { method: "models"; client?: undefined }
  | ({ method: "generate"; request: GenerateRequest; images: readonly Uint8Array[] } & ForModel)
  | ({ method: "score"; request: ScoreRequest; images: readonly Uint8Array[] } & ForModel)
  | ({ method: "tokenize"; text: string } & ForModel)
  | ({ method: "detokenize"; ids: readonly number[] } & ForModel)
  | ({ method: "preprocess"; image: Uint8Array; mode: "display" | "reference" } & ForModel);

/** A call as it is sent: pictures by the numbers they were sent under, see sentPictures.ts. */
export type SentCall = Call extends infer One
  ? One extends { images: readonly Uint8Array[] }
    ? Omit<One, "images"> & { images: readonly number[] }
    : One
  : never;

/** What each call answers with in the end; `generate` sends its answer as events before. */
export interface CallResults {
  models: ModelInfo[];
  generate: undefined;
  score: ScoreResult;
  tokenize: { id: number; text: string }[];
  detokenize: string;
  preprocess: PreprocessResult;
}

/** What the process is told once, before any call. */
export interface HostOptions {
  /** Converted model folders. */
  models: readonly string[];
  maxBatch: number;
  /** Bytes that loaded models may need together, by their own estimates. */
  memoryLimit: number | undefined;
  /** Bytes for keys and values of each model. */
  cacheBytes: number | undefined;
  /** Milliseconds without a call after which a model is unloaded. */
  idleUnload: number | undefined;
  /** What runs models. */
  provider: Provider | undefined;
  /** In what precision language models compute on a GPU. */
  precision: PrecisionChoice | undefined;
  /** Milliseconds between signs of life. */
  heartbeat: number;
}

export type Counters = ReturnType<Model["counters"]>;

export interface HostStatus extends Counters {
  rssBytes: number;
  loadedModels: string[];
  /** Loaded model -> what it runs on. */
  executionProviders: Record<string, string>;
}

export type ToChild =
  | { type: "start"; options: HostOptions }
  | { type: "picture"; picture: number; bytes: Uint8Array }
  | { type: "forgetPicture"; picture: number }
  | { type: "call"; id: number; call: SentCall }
  | { type: "cancel"; id: number }
  | { type: "close" };

export type FromChild =
  | { type: "ready" }
  | { type: "startFailed"; error: WireError }
  | { type: "event"; id: number; event: GenerateEvent }
  | { type: "result"; id: number; value: CallResults[keyof CallResults] }
  | { type: "error"; id: number; error: WireError }
  | { type: "copies"; news: CopiesNews }
  | { type: "loaded"; model: ModelInfo }
  /** The process is of no use any more, and wants to be replaced. */
  | { type: "lost"; because: string }
  /** Sent at every heartbeat as a sign of life, and before each result. */
  | { type: "status"; status: HostStatus };

/** A TinyGptvError in transit: structured clone keeps neither class nor code of an error. */
export interface WireError {
  code: ErrorCode;
  message: string;
  subject: string | undefined;
  stack: string | undefined;
}

/** An error that is none of ours is a defect inside the engine and says so. */
export function toWire(error: unknown): WireError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof TinyGptvError) {
    return { code: error.code, message, subject: error.subject, stack };
  }
  return { code: "engine", message: `unexpected: ${message}`, subject: undefined, stack };
}

export function fromWire({ code, message, subject, stack }: WireError): TinyGptvError {
  const error = new TinyGptvError(code, message, subject === undefined ? {} : { subject });
  // Where it was thrown tells more than where it was received.
  if (stack !== undefined) error.stack = stack;
  return error;
}
