import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { whatWasRead } from "@tinygptv/model/disk";
import { dataError } from "./mistakes.ts";

/** A record of a file, as it stands there. */
export interface RecordText {
  readonly text: string;
  /** A line, from 1, or an entry, from 0. */
  readonly number: number;
  /** Where in the file it stands, in bytes. */
  readonly at: number;
  readonly bytes: number;
}

/** A file of records: one a line, or entries of one list (or object). */
export interface RecordFile {
  readonly path: string;
  /** All of them from front to back; a file may be larger than a string or memory. */
  read(): AsyncGenerator<RecordText>;
  /** Name of a record's place, for messages: `train.jsonl:12`, `detail_23k.json[4]`. */
  place(number: number): string;
  /** @throws TinyGptvError "data": the text is no JSON */
  parse(text: string, number: number): unknown;
}

/** A JSONL file; empty lines are none. */
export function jsonLines(path: string): RecordFile {
  const place = (number: number) => `${basename(path)}:${number}`;
  return {
    path,
    place,
    read: () => linesOf(path),
    parse: (text, number) => parseJson(text, place(number)),
  };
}

/**
 * The entries of a JSON file's list; where the file holds an object, those of its
 * list called `key`, or, where none is named, its own, each as an object of one name.
 */
export function jsonEntries(path: string, key?: string): RecordFile {
  const place = (number: number) => `${basename(path)}[${number}]`;
  return {
    path,
    place,
    read: () => entriesOf(path, key),
    // The entry of an object begins with its name.
    parse: (text, number) => parseJson(text.startsWith('"') ? `{${text}}` : text, place(number)),
  };
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw dataError(place, `want JSON, got text that does not parse (${message})`, cause);
  }
}

/** Chunks of a file. @throws TinyGptvError "data": it cannot be read */
async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw dataError(path, `want a file, got ${whatWasRead(error)}`, error);
  }
}

const newline = 0x0a;
/** U+FEFF, which some editors put first. */
const byteOrderMark = Buffer.from("\ufeff");

async function* linesOf(path: string): AsyncGenerator<RecordText> {
  let number = 0;
  let at = 0;
  let rest = Buffer.alloc(0);
  const record = (line: Buffer): RecordText | undefined => {
    number++;
    const skipped = at === 0 && line.indexOf(byteOrderMark) === 0 ? byteOrderMark.length : 0;
    const found = { number, at: at + skipped, bytes: line.length - skipped };
    at += line.length + 1;
    const text = line.toString("utf8", skipped);
    return text.trim() === "" ? undefined : { ...found, text };
  };
  for await (const chunk of chunksOf(path)) {
    const buffer = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = buffer.indexOf(newline); end >= 0; end = buffer.indexOf(newline, start)) {
      const found = record(buffer.subarray(start, end));
      if (found) yield found;
      start = end + 1;
    }
    rest = buffer.subarray(start);
  }
  const last = record(rest);
  if (last) yield last;
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const isOpening = (byte: number) => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number) => byte === 0x5d || byte === 0x7d;
const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
/** No name that is looked for is as long. */
const maxName = 64;

/** One walk over the bytes that knows depth and strings, and nothing else of JSON. */
async function* entriesOf(path: string, key: string | undefined): AsyncGenerator<RecordText> {
  const name = basename(path);
  let number = 0;
  let depth = 0;
  /** The depth at which the entries stand; 0 outside of their list. */
  let level = 0;
  let isFound = false;
  let inString = false;
  let isEscaped = false;
  /** The last string at depth 1, which may be the name of the list. */
  let word: number[] = [];
  let buffer = Buffer.alloc(0);
  /** Where in the file the buffer begins, and where in the buffer the entry being read does. */
  let offset = 0;
  let start = -1;

  const entry = (end: number): RecordText => {
    const text = buffer.toString("utf8", start, end).trimEnd();
    const found = { number: number++, at: offset + start, bytes: Buffer.byteLength(text), text };
    start = -1;
    return found;
  };

  for await (const chunk of chunksOf(path)) {
    const kept = buffer.subarray(start < 0 ? buffer.length : start);
    offset += buffer.length - kept.length;
    buffer = Buffer.concat([kept, chunk]);
    if (start > 0) start = 0;
    for (let i = kept.length; i < buffer.length; i++) {
      const byte = buffer[i]!;
      if (inString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) inString = false;
        if (inString && depth === 1 && word.length < maxName) word.push(byte);
        continue;
      }
      if (level > 0 && depth === level) {
        const isEnd = byte === comma || isClosing(byte);
        if (isEnd && start >= 0) yield entry(i);
        else if (!isEnd && start < 0 && !isSpace(byte)) start = i;
      }
      if (byte === quote) {
        inString = true;
        if (depth === 1) word = [];
      } else if (isOpening(byte)) {
        depth++;
        const isRoot = depth === 1 && (byte === 0x5b || key === undefined);
        if (isRoot || (depth === 2 && level === 0 && Buffer.from(word).toString() === key)) {
          level = depth;
          isFound = true;
        }
      } else if (isClosing(byte)) {
        depth--;
        if (depth < level) level = 0;
      } else if (depth === 0 && !isSpace(byte) && !byteOrderMark.includes(byte)) {
        const got = JSON.stringify(String.fromCharCode(byte));
        throw dataError(name, `want a list in JSON, got text with ${got} outside of any`);
      }
    }
  }
  if (depth > 0)
    throw dataError(
      name,
      `want JSON to its end, got a file that breaks off after ${number} entries`,
    );
  if (!isFound)
    throw dataError(name, `want a list${key === undefined ? "" : ` called "${key}"`}, got none`);
}
