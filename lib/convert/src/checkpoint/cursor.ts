import type { TinyGptvError } from "@tinygptv/protocol";
import { damaged } from "./untrusted.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads untrusted bytes front to back, little-endian where a method does not
 * say otherwise. A read beyond the end is an error that names the place.
 */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  readonly #what: string;
  #position = 0;

  /** `what` is the part of `file` the bytes are, for messages. */
  constructor(file: string, what: string, bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
    this.#what = what;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** An error about the bytes just read. */
  error(problem: string): TinyGptvError {
    return damaged(this.#file, `${this.#what}: ${problem} (at byte ${this.#position})`);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** A 64-bit size or offset. Those beyond 2^53 come out rounded: still far beyond any file. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Big-endian, as pickles write it. */
  f64be(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** A view of the next bytes, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  utf8(length: number): string {
    const bytes = this.bytes(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.error("want UTF-8 text");
    }
  }

  /** Text up to the next newline, which is read but not returned. */
  line(): string {
    const text = this.utf8(this.#untilNewline());
    this.#position++;
    return text;
  }

  /** The same with a character a byte. */
  latin1Line(): string {
    const bytes = this.bytes(this.#untilNewline());
    this.#position++;
    return Buffer.from(bytes).toString("latin1");
  }

  #untilNewline(): number {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.error("want a newline before the end");
    return end - this.#position;
  }

  #take(length: number): number {
    if (length > this.remaining)
      throw this.error(`cut short: want ${length} more bytes, got ${this.remaining}`);
    const start = this.#position;
    this.#position += length;
    return start;
  }
}
