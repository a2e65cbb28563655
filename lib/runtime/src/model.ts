import type {
  FinishedAnswer,
  GenerateEvent,
  GenerateRequest,
  ModelInfo,
  PreprocessResult,
  ScoreRequest,
  ScoreResult,
} from "@tinygptv/protocol";

/** Whose work it is, and how it is cancelled. */
export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** On whose behalf: clients take turns at decoding pictures and in forward passes. */
  client?: string | undefined;
  /** Name of an adapter beside the model; the one it was opened with, or none, unless given. */
  adapter?: string | undefined;
}

/** What of a request goes with a question besides its text and pictures. */
export interface AnswerOptions extends RunOptions, Omit<GenerateRequest, "rounds"> {}

/**
 * One level of one converted model, loaded into this process (see
 * `openModel`). The engine hosts models in a child process; the command
 * line and tests may use one directly.
 */
export interface Model {
  readonly info: ModelInfo;
  /**
   * The whole answer to one question about a picture, about several, or about none.
   * @throws TinyGptvError "parameter", "context", "image", "aborted"
   */
  answer(
    prompt: string,
    pictures?: Uint8Array | readonly Uint8Array[],
    options?: AnswerOptions,
  ): Promise<FinishedAnswer>;
  /** The same as it comes, for conversations of several rounds too. */
  generate(
    request: GenerateRequest,
    images: readonly Uint8Array[],
    options?: RunOptions,
  ): AsyncIterable<GenerateEvent>;
  /**
   * How probable given answers are after a prompt, teacher-forced.
   * @throws TinyGptvError "parameter", "context", "image", "aborted"
   */
  score(
    request: ScoreRequest,
    images: readonly Uint8Array[],
    options?: RunOptions,
  ): Promise<ScoreResult>;
  /** A text's tokens, without a begin token. */
  tokenize(text: string): { id: number; text: string }[];
  /** The text that token ids stand for, special tokens included. */
  detokenize(ids: readonly number[]): string;
  /**
   * What the model sees of a picture.
   * @throws TinyGptvError "image", "aborted"
   */
  preprocess(
    image: Uint8Array,
    mode: "display" | "reference",
    options?: RunOptions,
  ): Promise<PreprocessResult>;
  /** Counters since opening, for the engine's status. */
  counters(): {
    imageCacheHits: number;
    imageCacheMisses: number;
    prefixCachedTokens: number;
    generatedTokens: number;
    batchSize: number;
  };
  /** Frees the model's memory. Work under way should have ended. */
  close(): Promise<void>;
}
