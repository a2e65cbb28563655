/** A field of a JSON object that is too large to be parsed: found as its bytes come. */
const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const opening = new Set([0x7b, 0x5b]);
const closing = new Set([0x7d, 0x5d]);

/** More of a value than this is no name, or list of names. */
const longest = 65_536;

export interface FieldFinder {
  /** Takes the next bytes; whether it has found the field, or knows that there will be none. */
  push(chunk: Uint8Array): boolean;
  /** Whether it has found it, or knows that there is none. */
  readonly isDone: boolean;
  /** The field's value, undefined where it was not found. */
  readonly value: unknown;
}

/** Looks at the top level for the first field of one of these names. */
export function findField(names: readonly string[]): FieldFinder {
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  let inValue = false;
  /** Bytes of the key, or of the value of the field that is looked for. */
  let kept: number[] | undefined;
  let isDone = false;
  let value: unknown;

  function parse(): unknown {
    try {
      return JSON.parse(new TextDecoder().decode(new Uint8Array(kept ?? [])));
    } catch {
      isDone = true; // no JSON: the origin says so
      return undefined;
    }
  }

  /** A byte at the top level, outside strings. */
  function structure(byte: number): void {
    if (byte === colon && !inValue) {
      kept = names.includes(String(parse())) ? [] : undefined;
      inValue = true;
    } else if (byte === comma || depth === 0) {
      if (inValue && kept) value = parse();
      isDone ||= depth === 0 || (inValue && kept !== undefined);
      inValue = false;
      kept = undefined;
    }
  }

  function take(byte: number): void {
    if (!inString && byte === quote && depth === 1 && !inValue) kept = [];
    const isEnd = !inString && depth === 1 && (byte === comma || closing.has(byte));
    const isKey = !inValue && !inString && byte !== quote;
    if (kept && !isEnd && !isKey && kept.push(byte) > longest) isDone = true;
    if (inString) {
      inString = isEscaped || byte !== quote;
      isEscaped = !isEscaped && byte === backslash;
      return;
    }
    if (byte === quote) inString = true;
    else if (opening.has(byte)) depth += 1;
    else if (closing.has(byte)) depth -= 1;
    if (depth === 1 || (depth === 0 && closing.has(byte))) structure(byte);
  }

  return {
    push(chunk) {
      for (const byte of chunk) {
        if (isDone) break;
        take(byte);
      }
      return isDone;
    },
    get isDone() {
      return isDone;
    },
    get value() {
      return value;
    },
  };
}
