import { HttpError } from "../errors.ts";

/** The head as browsers read it: any parameters, the last of them `base64`, spaces around it. */
const head = /^\s*data:(?<type>[^;,]*)(?:;[^,]*?)??(?<base64>;\s*base64\s*)?,/i;
/** Of types that say nothing, the content decides, as everywhere. */
const anyType = new Set(["application/octet-stream", "binary/octet-stream"]);

/** At most so many bytes are in a data URL's content. */
export function decodedLength(url: string): number {
  return Math.ceil((url.length / 4) * 3);
}

/**
 * The bytes of a `data:image/…` URL: what `fetch` decodes, we decode. That is
 * base64 with or without padding, with line breaks and blanks, percent-encoded
 * or not; and content that is percent-encoded without base64. URL-safe letters
 * are taken as well, which Python's and Java's libraries write.
 * @throws HttpError invalid_image_url saying what is wrong, image_too_large
 */
export function decodeDataUrl(url: string, maxBytes: number, param: string): Uint8Array {
  const fail = (message: string) =>
    new HttpError("invalid_image_url", `${param}: ${message}`, { param });
  const match = head.exec(url.slice(0, 500));
  if (!match) throw fail("want data:image/…;base64,…, got a data URL without a comma");
  const { type = "", base64 } = match.groups!;
  const name = type.trim().toLowerCase();
  if (!name.startsWith("image/") && !anyType.has(name))
    throw fail(`want a data URL of type image/…, got ${name || "none"}`);
  const tooLarge = () =>
    new HttpError("image_too_large", `${param}: want at most ${maxBytes} bytes`, { param });
  // Thrice is the most that percent-encoding makes of base64, and of bytes; blanks come on top.
  if (decodedLength(url) > maxBytes * 4 + 1000) throw tooLarge();
  const content = withoutFragment(url.slice(match[0].length));
  const bytes = base64 === undefined ? unescaped(content) : fromBase64(content, fail);
  if (bytes.length > maxBytes) throw tooLarge();
  return bytes;
}

function withoutFragment(text: string): string {
  const at = text.indexOf("#");
  return at < 0 ? text : text.slice(0, at);
}

function fromBase64(content: string, fail: (message: string) => Error): Uint8Array {
  const plain = decodeLetters(content);
  if (plain) return plain;
  const letters = withoutBlanks(content.includes("%") ? unescaped(content) : Buffer.from(content));
  const bytes = decodeLetters(letters.toString("latin1"));
  if (bytes) return bytes;
  const end = passWhile(letters, 0, isLetter);
  const strange = passWhile(letters, end, isPadding);
  throw fail(
    strange < letters.length
      ? `this is not base64: ${JSON.stringify(String.fromCharCode(letters[strange]!))} at its letter ${strange + 1}`
      : `this is not base64: ${end} letters and ${letters.length - end} "=" do not make whole bytes`,
  );
}

/** Undefined unless the text is letters of base64 and nothing else, with all of its padding or none. */
function decodeLetters(text: string): Buffer | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const length = text.length - padding;
  if (length % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined;
  // Buffer skips what is no letter, so the length tells. (A pattern over megabytes overflows its stack.)
  const bytes = Buffer.from(text, "base64");
  return bytes.length === Math.floor((length / 4) * 3) ? bytes : undefined;
}

const percent = 0x25;
const tableOf = (characters: string) => {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
};
const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const isLetter = tableOf(`${capitals}${capitals.toLowerCase()}0123456789+/-_`);
const isPadding = tableOf("=");
const isBlank = tableOf("\t\n\f\r ");

/** The first position from `at` on whose byte is not in the table. (Typed arrays' own methods are many times slower.) */
function passWhile(bytes: Uint8Array, from: number, table: Uint8Array): number {
  let at = from;
  while (at < bytes.length && table[bytes[at]!]) at += 1;
  return at;
}

/** Without the line breaks and blanks that programs of every age put into base64. */
function withoutBlanks(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at]!;
    if (!isBlank[byte]) bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** `%89PNG` -> bytes; a `%` that begins no escape stands for itself, as browsers have it. */
function unescaped(text: string): Buffer {
  const given = Buffer.from(text);
  const bytes = Buffer.allocUnsafe(given.length);
  let length = 0;
  for (let at = 0; at < given.length; at += 1) {
    const byte = given[at]!;
    const high = byte === percent ? hexDigit[given[at + 1] ?? 0]! : 0;
    const low = high > 0 ? hexDigit[given[at + 2] ?? 0]! : 0;
    bytes[length++] = low > 0 ? (high - 1) * 16 + low - 1 : byte;
    if (low > 0) at += 2;
  }
  return bytes.subarray(0, length);
}

/** The value of a hexadecimal digit and one; 0 for other characters. */
const hexDigit = new Uint8Array(256);
for (const digit of "0123456789abcdefABCDEF")
  hexDigit[digit.charCodeAt(0)] = Number.parseInt(digit, 16) + 1;
