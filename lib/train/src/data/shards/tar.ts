import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { whatWasRead } from "@tinygptv/model/disk";
import { dataError } from "../mistakes.ts";

/** A file in an archive. */
export interface TarEntry {
  readonly name: string;
  /** Where its content stands in the archive, in bytes. */
  readonly at: number;
  readonly bytes: number;
}

const block = 512;
const windowBytes = 1 << 16;
/** Types of entries (POSIX.1-2001, pax): what is a plain file, and what says more of the next one. */
const isFile = (type: string) => type === "0" || type === "\0";
const paxHeader = "x";
const gnuLongName = "L";

/** The plain files of a tar archive, without their contents. @throws TinyGptvError "data": it is damaged */
export async function readTar(path: string): Promise<TarEntry[]> {
  const file = await openTar(path);
  try {
    const { size } = await file.stat();
    const read = windowed(file, path);
    const entries: TarEntry[] = [];
    let long: { name?: string | undefined; bytes?: number | undefined } = {};
    for (let at = 0; at + block <= size;) {
      const header = await read(at, block);
      if (header.every((byte) => byte === 0)) break;
      const { name, type, ...own } = parseHeader(header, basename(path), at);
      const start = at + block;
      const bytes = long.bytes ?? own.bytes;
      at = start + Math.ceil(bytes / block) * block;
      if (start + bytes > size)
        throw dataError(
          basename(path),
          `${name}: want ${bytes} bytes, got an archive that breaks off`,
        );
      if (type === paxHeader) long = parsePax((await read(start, bytes)).toString());
      else if (type === gnuLongName) long = { name: upToNull(await read(start, bytes)) };
      else {
        if (isFile(type)) entries.push({ name: long.name ?? name, at: start, bytes });
        long = {};
      }
    }
    return entries;
  } finally {
    await file.close();
  }
}

/** Whether an archive has its end, two blocks of zeros; what a download left half has none. */
export async function isWholeTar(path: string): Promise<boolean> {
  const file = await openTar(path);
  try {
    const { size } = await file.stat();
    if (size < 2 * block || size % block !== 0) return false;
    const end = Buffer.alloc(2 * block);
    await file.read(end, 0, end.length, size - end.length);
    return end.every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}

async function openTar(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw dataError(path, `want a shard, got ${whatWasRead(error)}`, error);
  }
}

/** Reads with a look ahead: headers of small files stand close together. */
function windowed(file: FileHandle, path: string): (at: number, bytes: number) => Promise<Buffer> {
  let buffer = Buffer.alloc(0);
  let offset = 0;
  return async (at, bytes) => {
    if (at < offset || at + bytes > offset + buffer.length) {
      const ahead = Buffer.alloc(Math.max(bytes, windowBytes));
      const { bytesRead } = await file.read(ahead, 0, ahead.length, at);
      if (bytesRead < bytes)
        throw dataError(basename(path), `want ${bytes} bytes at ${at}, got ${bytesRead}`);
      buffer = ahead.subarray(0, bytesRead);
      offset = at;
    }
    return buffer.subarray(at - offset, at - offset + bytes);
  };
}

function parseHeader(
  header: Buffer,
  archive: string,
  at: number,
): { name: string; type: string; bytes: number } {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (sum !== octal(header.subarray(148, 156)))
    throw dataError(archive, `want the header of a file at byte ${at}, got other bytes`);
  const isUstar = header.toString("latin1", 257, 262) === "ustar";
  const prefix = isUstar ? upToNull(header.subarray(345, 500)) : "";
  const name = upToNull(header.subarray(0, 100));
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    type: String.fromCharCode(header[156]!),
    bytes: fileSize(header.subarray(124, 136)),
  };
}

/** Octal digits, or, where they do not suffice, a binary number marked by its first bit. */
function fileSize(field: Buffer): number {
  if ((field[0]! & 0x80) === 0) return octal(field);
  return Number(field.readBigUInt64BE(4));
}

const octal = (field: Buffer) => Number.parseInt(upToNull(field).trim() || "0", 8);

function upToNull(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

/** `LENGTH KEY=VALUE\n`, one after the other. */
function parsePax(text: string): { name?: string | undefined; bytes?: number | undefined } {
  const values = Object.fromEntries(
    [...text.matchAll(/\d+ ([^=]+)=([^\n]*)\n/g)].map(([, key, value]) => [key, value]),
  ) as { path?: string; size?: string };
  return { name: values.path, bytes: values.size === undefined ? undefined : Number(values.size) };
}
