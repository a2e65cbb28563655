import type { GenerateEvent, ScoreResult } from "./events.ts";
import type { GenerateRequest, ScoreRequest } from "./request.ts";

/** How 8-bit weights are multiplied: as they are stored, or moved into 0 to 255. */
export type IntegerWeights = "signed" | "unsigned";

/** One quantization level of one converted model, as the endpoint lists it (`nano:fp32`), or an adapter beside one (`nano:fp32+greetings`). */
export interface ModelInfo {
  /** `name:level`, and `+adapter` where there is one. */
  id: string;
  name: string;
  level: string;
  /** Name of the adapter beside the level; its other figures are those of both. */
  adapter?: string | undefined;
  /** Said wherever its output is shown: a trained model, or random / fixture weights. */
  weights: "trained" | "random" | "fixture";
  /** Bytes of its files on disk. */
  fileBytes: number;
  /** The most bytes that a process takes with this level loaded, whoever asks it for what. */
  memoryBytes: number;
  /** Longest text in positions, pictures included. */
  contextLength: number;
  /** Side of the square picture the model sees, in pixels. */
  imageSize: number;
  loaded: boolean;
  /** What ONNX Runtime really runs on, once loaded. */
  executionProvider: string | undefined;
  /** Why that, and in what form, once loaded. */
  execution?: string | undefined;
  /**
   * How a level with 8-bit weights per output multiplies them here, once loaded: unsigned
   * where the processor would cut off sums of signed ones; undefined for levels without.
   */
  integerWeights: IntegerWeights | undefined;
}

/** What the model sees of a picture. */
export interface PreprocessResult {
  /** Original size (after EXIF where it is applied) and the square it is resized to. */
  width: number;
  height: number;
  size: number;
  /** sha256 of the float32 little-endian tensor [3,size,size], hex. */
  tensorHash: string;
  /** The resized picture, before normalisation. */
  png: Uint8Array;
}

/**
 * Of the copies of a model's graphs that make its next load quick: there, as
 * far as there can be any; being made; or not made.
 */
export type CopiesState = "ready" | "making" | "missing";

/** What has become of a loaded model's copies. */
export interface CopiesNews {
  model: string;
  state: CopiesState;
  /** What they take on disk, about. */
  bytes: number;
  /** Why they are missing. */
  reason?: string;
}

/** Gauges and counters for `/metrics` and `/health`. */
export interface EngineStatus {
  /** Unresponsive: its process has given no sign of life for some seconds, and is replaced if it stays so. */
  state: "starting" | "ready" | "unresponsive" | "restarting" | "closed";
  running: number;
  queued: number;
  queueLimit: number;
  batchSize: number;
  restarts: number;
  imageCacheHits: number;
  imageCacheMisses: number;
  prefixCachedTokens: number;
  generatedTokens: number;
  /** Resident bytes of the engine process. */
  rssBytes: number;
  loadedModels: string[];
  /** Loaded model -> what ONNX Runtime really runs it on. */
  executionProviders: Record<string, string>;
  /** Models that were loaded -> their pre-packed copies. */
  copies: Record<string, CopiesState>;
}

/** Who asks which level, and for how long. */
export interface CallOptions {
  /** Level to run (`name:level`, or `name` for its default level), and `+adapter` for one beside it. */
  model?: string;
  /**
   * On whose behalf, as any text (a key's name, an address). Clients take turns:
   * who asks for much waits behind himself.
   */
  client?: string;
  signal?: AbortSignal;
}

/**
 * A running TinyGPT-V: the pipeline in a process of its own. All methods reject
 * with TinyGptvError; a crash of the process fails what is in flight with code
 * "engine", and the next call runs in a new process.
 */
export interface Engine {
  /** All levels of all models, the default one first, and with every adapter beside them; as they are now. */
  models(): Promise<ModelInfo[]>;
  /**
   * Answers a request. Whether it can be queued is decided before any picture is
   * decoded (code "busy"). Iterating starts it; breaking out of the iteration or
   * aborting cancels it, which frees its place within one step.
   */
  generate(
    request: GenerateRequest,
    images: readonly Uint8Array[],
    options?: CallOptions,
  ): AsyncIterable<GenerateEvent>;
  /** How probable given answers are after a prompt. */
  score(
    request: ScoreRequest,
    images: readonly Uint8Array[],
    options?: CallOptions,
  ): Promise<ScoreResult>;
  /** The text's tokens; joined, their texts are the text again. */
  tokenize(text: string, options?: CallOptions): Promise<{ id: number; text: string }[]>;
  /** The text that token ids stand for, special tokens included. */
  detokenize(ids: readonly number[], options?: CallOptions): Promise<string>;
  /** What the model sees of a picture; `image` is the bytes of its file. */
  preprocess(
    image: Uint8Array,
    mode: "display" | "reference",
    options?: CallOptions,
  ): Promise<PreprocessResult>;
  /** Whether one more request of a client could wait now; `busy` is decided again, and finally, when it comes. */
  accepts(client?: string): boolean;
  /** What is known, at once: the process is not asked. */
  status(): EngineStatus;
  /** Finishes what runs, refuses what comes, ends the process. */
  close(): Promise<void>;
}
