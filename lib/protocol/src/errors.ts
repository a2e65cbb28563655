/**
 * What went wrong, as a closed list: callers (command line, endpoint,
 * playground) decide by code, people read the message.
 */
export const libraryErrorCodes = [
  "checkpoint", // a checkpoint file is damaged, hostile or in a format we do not read
  "layout", // its tensors are not those of a TinyGPT-V
  "model", // a converted model folder is missing, damaged or does not fit
  "memory", // a model needs more than it may have
  "image", // a picture cannot be decoded or is over a limit
  "prompt", // a prompt does not fit its pictures or template
  "context", // a prompt, with its pictures, is longer than the model's context
  "parameter", // a decoding parameter is out of range or not applicable
  "data", // training data is missing, damaged or not as its format has it
  "engine", // the engine process died or refused
  "busy", // the queue is full
  "aborted", // the caller gave up
  "conflict", // a conditional write met another object than it was meant for
  "network", // a download failed
  "io", // the disk refused
] as const;
export type ErrorCode = (typeof libraryErrorCodes)[number];

/** A message names things out of files and requests, which may be of any length. */
const maxMessage = 4000;

/** A text as a message can show it: of a long one the beginning and the end. */
export function shorten(text: string, most = 200): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 4);
  return `${text.slice(0, most - end - 1)}…${text.slice(-end)}`;
}

/**
 * The one error class of the project. The message names the thing, what was
 * expected and what was found: `shape: llama_proj.weight: want [4096,768], got [4096,1024]`.
 */
export class TinyGptvError extends Error {
  readonly code: ErrorCode;
  /** The parameter (`topP`, `rounds[1].prompt`), tensor or file at fault, where there is one. */
  readonly subject: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { subject?: string; cause?: unknown } = {},
  ) {
    super(
      shorten(message, maxMessage),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "TinyGptvError";
    this.code = code;
    this.subject = options.subject;
  }
}

/** The error of what its caller cancelled. */
export function abortError(signal: AbortSignal | undefined): TinyGptvError {
  return new TinyGptvError("aborted", "aborted by the caller", { cause: signal?.reason });
}

/** Throws `aborted` if the signal has fired; called between steps of long work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}
