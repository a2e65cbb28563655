/** Small picture files made byte by byte, for what no encoder at hand writes. */
import { crc32, deflateSync } from "node:zlib";

function bigEndian32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type), data]);
  return Buffer.concat([bigEndian32(data.length), body, bigEndian32(crc32(body))]);
}

/** The content of an iCCP chunk: a name, NUL, compression method 0, the deflated profile. */
export function iccpChunk(profile: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from("profile\0\0", "latin1"), deflateSync(profile)]);
}

export interface PngParts {
  width: number;
  height: number;
  bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  colourType: number;
  /** Chunks between header and pixels, by type: `PLTE`, `tRNS`, `iCCP`. */
  chunks?: Record<string, Uint8Array>;
  /** All rows' bytes, without filter bytes. */
  pixels: readonly number[];
}

export function pngFile({
  width,
  height,
  bitDepth,
  colourType,
  chunks = {},
  pixels,
}: PngParts): Uint8Array {
  const rowLength = pixels.length / height;
  const rows = Array.from({ length: height }, (_, y) => [
    0,
    ...pixels.slice(y * rowLength, (y + 1) * rowLength),
  ]);
  const header = Buffer.concat([
    bigEndian32(width),
    bigEndian32(height),
    Uint8Array.of(bitDepth, colourType, 0, 0, 0),
  ]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    ...Object.entries(chunks).map(([type, data]) => pngChunk(type, data)),
    pngChunk("IDAT", deflateSync(Uint8Array.from(rows.flat()))),
    pngChunk("IEND", new Uint8Array(0)),
  ]);
}

/** A GIF of four colours, one of them transparent, after a comment extension. */
export function gifFile(
  width: number,
  height: number,
  {
    palette,
    transparent,
    indices,
  }: { palette: readonly number[]; transparent: number; indices: readonly number[] },
): Uint8Array {
  // Three-bit codes, the table cleared (code 4) before every pixel, so that it never grows.
  const codes = [...indices.flatMap((index) => [4, index]), 5];
  const bits = codes.flatMap((code) => [code & 1, (code >> 1) & 1, code >> 2]);
  const data = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => (data[i >> 3]! |= bit << (i & 7)));
  const bytes = [
    [...Buffer.from("GIF89a"), width, 0, height, 0, 0x81, 0, 0],
    palette,
    [0x21, 0xfe, 2, 0x21, 0xf9, 0], // a comment whose text looks like an extension
    [0x21, 0xf9, 4, 1, 0, 0, transparent, 0],
    [0x2c, 0, 0, 0, 0, width, 0, height, 0, 0],
    [2, data.length, ...data, 0, 0x3b],
  ];
  return Uint8Array.from(bytes.flat());
}
