/**
 * Bounds on the structure of JSON, counted on its bytes as they arrive.
 * `JSON.parse` and validation take time by the number of values, not of bytes: a
 * body of 32 MB can be one picture (20 ms) or five million keys (half a minute,
 * in which the server answers nobody). What a request means is not looked at,
 * and neither is whether it is valid: that is the parser's to say.
 */
import { HttpError } from "../errors.ts";

export interface JsonLimits {
  /** Lists and objects within each other. */
  readonly jsonDepth: number;
  /** Values in all: members of objects and items of lists. */
  readonly jsonValues: number;
}

/** Bytes of a member's name; the longest that mean something are names of files. */
const maxNameBytes = 1024;
/** Bytes of a number; the longest double is written in 24. */
const maxNumberBytes = 128;

/** What a byte is to the scanner; all bytes that are not listed belong to a number or literal. */
const kinds = new Uint8Array(256);
const [other, space, quote, open, close, comma, colon] = [0, 1, 2, 3, 4, 5, 6];
for (const [kind, characters] of [
  [space, " \t\n\r"],
  [quote, '"'],
  [open, "[{"],
  [close, "]}"],
  [comma, ","],
  [colon, ":"],
] as const)
  for (const character of characters) kinds[character.charCodeAt(0)] = kind;

const backslash = 0x5c;
const quotationMark = 0x22;

/**
 * A scanner to be given a body's bytes in order, in pieces of any length.
 * @returns a function that throws HttpError invalid_json once a bound is passed
 */
export function createJsonBounds({
  jsonDepth,
  jsonValues,
}: JsonLimits): (chunk: Uint8Array) => void {
  let depth = 0;
  let values = 0;
  let inString = false;
  let escaped = false;
  /** Bytes of the string, or of the number or literal, that is being read. */
  let length = 0;
  const fail = (what: string) => {
    throw new HttpError("invalid_json", `request body: ${what}`);
  };

  /** Reads on within a string; the position behind it, or the chunk's end. */
  const passString = (chunk: Uint8Array, from: number): number => {
    let at = from;
    while (at < chunk.length && inString) {
      const byte = chunk[at]!;
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quotationMark) inString = false;
      at += 1;
    }
    length += at - from;
    return at;
  };

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (inString) {
        at = passString(chunk, at);
        continue;
      }
      const kind = kinds[chunk[at]!];
      at += 1;
      if (kind === other) {
        if ((length += 1) > maxNumberBytes)
          fail(`want numbers of at most ${maxNumberBytes} characters`);
        continue;
      }
      if (kind === colon && length > maxNameBytes)
        fail(`want names of at most ${maxNameBytes} bytes, got ${length}`);
      if (kind === space) continue;
      length = 0;
      if (kind === quote) inString = true;
      else if (kind === open) {
        values += 1;
        if ((depth += 1) > jsonDepth) fail(`want lists and objects at most ${jsonDepth} deep`);
      } else if (kind === close) depth -= 1;
      else if (kind === comma) values += 1;
      if (values > jsonValues) fail(`want at most ${jsonValues} values`);
    }
  };
}
