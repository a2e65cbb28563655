/** From whatever was thrown to what a caller is told. */
import { TinyGptvError, renamed } from "@tinygptv/protocol";
import type { ErrorCode, NameOf } from "@tinygptv/protocol";
import { errorCodes, httpName } from "@tinygptv/protocol/http";
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

/** Faults of the caller keep their message; those of the server may name its files and get one of ours. */
const byEngineCode: Readonly<Record<ErrorCode, { code: ApiErrorCode; message?: string }>> = {
  image: { code: "invalid_image" },
  prompt: { code: "invalid_prompt" },
  context: { code: "context_length_exceeded" },
  parameter: { code: "invalid_value" },
  data: { code: "invalid_value" },
  busy: { code: "queue_full", message: "the queue is full" },
  engine: { code: "engine_failed", message: "the engine failed while working on this request" },
  aborted: { code: "client_closed_request", message: "the request was cancelled" },
  model: { code: "model_unavailable", message: "the model cannot be loaded" },
  memory: { code: "model_unavailable" },
  checkpoint: { code: "model_unavailable", message: "the model cannot be loaded" },
  layout: { code: "model_unavailable", message: "the model cannot be loaded" },
  conflict: { code: "internal_error", message: "another request changed the same object" },
  network: { code: "storage_failed", message: "storage did not answer" },
  io: { code: "storage_failed", message: "storage failed" },
};

/**
 * Maps any error to what the caller is told, in the caller's names; the
 * original stays its cause, for the log.
 */
export function toHttpError(error: unknown, nameOf: NameOf = httpName): HttpError {
  if (error instanceof HttpError) return error;
  if (!(error instanceof TinyGptvError))
    return new HttpError("internal_error", "something went wrong in the server", { cause: error });
  const { code, message } = byEngineCode[error.code];
  if (message !== undefined) return new HttpError(code, message, { cause: error });
  const { message: said, subject: param } = renamed(error, nameOf);
  // Clients that shorten a conversation know it by these words, some of them by nothing else.
  const told = error.code === "context" ? `${said}; the model's maximum context length` : said;
  return new HttpError(code, told, { param, cause: error });
}
