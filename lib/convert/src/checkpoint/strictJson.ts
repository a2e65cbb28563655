import { damaged, describe, quote } from "./untrusted.ts";

// Far above a safetensors header's or index's own depth of three.
const maxDepth = 16;

/**
 * Untrusted UTF-8 JSON of a file. JSON.parse keeps the last of two equal keys;
 * here they are an error, as are bad UTF-8 and deep nesting.
 */
export function parseStrictJson(file: string, what: string, bytes: Uint8Array): unknown {
  const text = decodeUtf8(file, what, bytes);
  let value: unknown;
  requireDepth(file, what, text);
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, `${what}: want JSON, got ${quote((cause as SyntaxError).message)}`, cause);
  }
  requireUniqueKeys(file, what, text);
  return value;
}

/** A plain JSON object, or an error that says what was found. */
export function requireObject(file: string, what: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw damaged(file, `${what}: want an object, got ${describe(value)}`);
  }
  return value as Record<string, unknown>;
}

function decodeUtf8(file: string, what: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw damaged(file, `${what}: want UTF-8 text`, cause);
  }
}

/** Each string, bracket and comma of a JSON text, in order; anything else is skipped. */
function* tokens(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') {
      const start = i++;
      while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      yield text.slice(start, i + 1);
    } else if ("{}[]:,".includes(character)) {
      yield character;
    }
  }
}

function requireDepth(file: string, what: string, text: string): void {
  let depth = 0;
  for (const token of tokens(text)) {
    if (token === "{" || token === "[") depth++;
    if (token === "}" || token === "]") depth--;
    if (depth > maxDepth)
      throw damaged(file, `${what}: want at most ${maxDepth} levels of nesting`);
  }
}

/** `text` is valid JSON by now, so a string before a colon is a key of the innermost object. */
function requireUniqueKeys(file: string, what: string, text: string): void {
  const open: Set<string>[] = [];
  let previous = "";
  for (const token of tokens(text)) {
    if (token === "{" || token === "[") open.push(new Set());
    if (token === "}" || token === "]") open.pop();
    if (token === ":") {
      const key = JSON.parse(previous) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) throw damaged(file, `${what}: key ${quote(key)} occurs twice`);
      keys.add(key);
    }
    previous = token;
  }
}
