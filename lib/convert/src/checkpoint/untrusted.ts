import { shorten, TinyGptvError } from "@tinygptv/protocol";

// PyTorch's own limit on the number of dimensions.
const maxRank = 64;

/** The error of every reader here: `FILE: what was wanted and what was found`. */
export function damaged(file: string, problem: string, cause?: unknown): TinyGptvError {
  return new TinyGptvError("checkpoint", `${file}: ${problem}`, { subject: file, cause });
}

/**
 * Text out of a file, quoted for a message: control characters escaped and
 * long ones cut, so that a hostile name cannot flood or forge a log.
 */
export function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

/** A name out of a file: as it is where it is printable and short. */
export function shown(name: string): string {
  return /^[\x20-\x7e]+$/.test(name) ? shorten(name) : quote(name);
}

/**
 * What a name outside the closed table of a pickle stands for, and all that is
 * made of it: the arguments of an experiment, a random state, a date. Nothing
 * runs, nothing is kept, and it counts only where a weight is wanted in its place.
 */
export class Unread {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value out of a file, short enough for a message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) {
    const some = value.slice(0, 8).map((item) => (Array.isArray(item) ? "[...]" : describe(item)));
    return `[${some.join(",")}${value.length > 8 ? ",..." : ""}]`;
  }
  if (value instanceof Map) return `a dictionary of ${value.size}`;
  if (value instanceof Unread) return `an object of ${quote(value.name)}, which is not read`;
  if (typeof value === "object" && value !== null) return "an object";
  return value === undefined ? "nothing" : String(value).slice(0, 40);
}

/** Whether a value out of a file can be a size or an offset. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value out of a file can be a shape or a list of strides or offsets. */
export function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= maxRank && value.every(isCount);
}
