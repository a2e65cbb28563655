/** From whatever was thrown to what a caller is told. */
import {
  TinyGptvError,
  decodingParamsSchema,
  generateRequestSchema,
  scoreRequestSchema,
} from "@tinygptv/protocol";
import type { ErrorCode } from "@tinygptv/protocol";
import { errorCodes } from "@tinygptv/protocol/http";
import type { ApiError, ApiErrorCode } from "@tinygptv/protocol/http";

/** An error on its way to a caller; status and type follow from the code. */
export class HttpError extends Error {
  readonly code: ApiErrorCode;
  /** The field or parameter at fault. */
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ApiErrorCode,
    message: string,
    options: { param?: string; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HttpError";
    this.code = code;
    this.param = options.param ?? null;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return errorCodes[this.code][0];
  }

  /** OpenAI's error object. */
  get body(): ApiError {
    const { code, message, param } = this;
    return { error: { message, type: errorCodes[code][1], param, code } };
  }
}

/** The engine's parameter names as callers write them, where they differ in more than case. */
const httpNames: Readonly<Record<string, string>> = {
  maxNewTokens: "max_tokens",
  minNewTokens: "min_tokens",
  numReturnSequences: "n",
  rounds: "messages",
  jsonSchema: "response_format",
};

function httpName(name: string): string {
  return httpNames[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const engineNames = [
  ...Object.keys(decodingParamsSchema.shape),
  ...Object.keys(generateRequestSchema.shape),
  ...Object.keys(scoreRequestSchema.shape),
];
const anyEngineName = new RegExp(`\\b(?:${engineNames.join("|")})\\b`, "g");

/** Faults of the caller keep their message; those of the server may name its files and get one of ours. */
const byEngineCode: Readonly<Record<ErrorCode, { code: ApiErrorCode; message?: string }>> = {
  image: { code: "invalid_image" },
  prompt: { code: "invalid_prompt" },
  parameter: { code: "invalid_value" },
  busy: { code: "queue_full", message: "the queue is full" },
  engine: { code: "engine_failed", message: "the engine failed while working on this request" },
  aborted: { code: "client_closed_request", message: "the request was cancelled" },
  model: { code: "model_unavailable", message: "the model cannot be loaded" },
  checkpoint: { code: "model_unavailable", message: "the model cannot be loaded" },
  layout: { code: "model_unavailable", message: "the model cannot be loaded" },
  conflict: { code: "internal_error", message: "another request changed the same object" },
  network: { code: "storage_failed", message: "storage did not answer" },
  io: { code: "storage_failed", message: "storage failed" },
};

/** Maps any error to what the caller is told; the original stays its cause, for the log. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (!(error instanceof TinyGptvError))
    return new HttpError("internal_error", "something went wrong in the server", { cause: error });
  const { code, message } = byEngineCode[error.code];
  // `maxNewTokens: want …` -> `max_tokens: want …`
  return new HttpError(code, message ?? error.message.replaceAll(anyEngineName, httpName), {
    param:
      message === undefined && error.subject !== undefined ? httpName(error.subject) : undefined,
    cause: error,
  });
}
