import { crc32 } from "node:zlib";
import type { Chunks } from "./chunks.ts";
import { sized } from "./chunks.ts";

export interface ZipInput {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly data: () => Chunks;
}

/** What the directory says of an entry. */
export interface WrittenEntry {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

// As torch.save has them: sums behind the data, names in UTF-8.
const flags = 0x0808;
const alignment = 64;
const max32 = 0xffffffff;

/**
 * The bytes of a zip file as torch.save lays it out: stored entries, data
 * aligned to 64 bytes by a padding field, sums behind the data, zip64 records
 * always. Sizes and offsets beyond 4 GiB are fine. Names are not checked.
 */
export async function* zipFile(inputs: Iterable<ZipInput>): AsyncGenerator<Uint8Array> {
  const entries: WrittenEntry[] = [];
  let offset = 0;
  for (const input of inputs) {
    const header = localHeader(input.name, offset);
    yield header;
    let crc = 0;
    for await (const piece of sized(input.name, input.size, input.data())) {
      crc = crc32(piece, crc);
      yield piece;
    }
    const entry = { name: input.name, size: input.size, crc, offset };
    const descriptor = dataDescriptor(entry);
    yield descriptor;
    entries.push(entry);
    offset += header.length + input.size + descriptor.length;
  }
  yield zipDirectory(entries, offset);
}

/** The header before an entry's data, padded so that the data is aligned. */
export function localHeader(name: string, offset: number): Buffer {
  const nameBytes = Buffer.from(name);
  const bare = 30 + nameBytes.length + 4;
  const padding = (alignment - ((offset + bare) % alignment)) % alignment;
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(nameBytes.length, 26);
  header.writeUInt16LE(4 + padding, 28);
  const field = Buffer.alloc(4 + padding, "Z");
  field.write("FB", 0, "latin1");
  field.writeUInt16LE(padding, 2);
  return Buffer.concat([header, nameBytes, field]);
}

/** The directory of entries and the records that end a file, for a directory that begins at `offset`. */
export function zipDirectory(entries: readonly WrittenEntry[], offset: number): Buffer {
  const headers = Buffer.concat(entries.map(directoryHeader));

  const zip64End = Buffer.alloc(56);
  zip64End.writeUInt32LE(0x06064b50, 0);
  writeUInt64(zip64End, 44, 4);
  writeUInt64(zip64End, entries.length, 24);
  writeUInt64(zip64End, entries.length, 32);
  writeUInt64(zip64End, headers.length, 40);
  writeUInt64(zip64End, offset, 48);

  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  writeUInt64(locator, offset + headers.length, 8);
  locator.writeUInt32LE(1, 16);

  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 8);
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 10);
  end.writeUInt32LE(headers.length, 12);
  end.writeUInt32LE(Math.min(offset, max32), 16);
  return Buffer.concat([headers, zip64End, locator, end]);
}

function directoryHeader({ name, size, crc, offset }: WrittenEntry): Buffer {
  const nameBytes = Buffer.from(name);
  const large = [...(size >= max32 ? [size, size] : []), ...(offset >= max32 ? [offset] : [])];
  const extra = Buffer.alloc(large.length > 0 ? 4 + 8 * large.length : 0);
  if (large.length > 0) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(8 * large.length, 2);
    for (const [i, value] of large.entries()) writeUInt64(extra, value, 4 + 8 * i);
  }
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(flags, 8);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(Math.min(size, max32), 20);
  header.writeUInt32LE(Math.min(size, max32), 24);
  header.writeUInt16LE(nameBytes.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(Math.min(offset, max32), 42);
  return Buffer.concat([header, nameBytes, extra]);
}

function dataDescriptor({ size, crc, offset }: WrittenEntry): Buffer {
  const isLarge = size >= max32 || offset >= max32;
  const descriptor = Buffer.alloc(isLarge ? 24 : 16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(crc, 4);
  if (isLarge) {
    writeUInt64(descriptor, size, 8);
    writeUInt64(descriptor, size, 16);
  } else {
    descriptor.writeUInt32LE(size, 8);
    descriptor.writeUInt32LE(size, 12);
  }
  return descriptor;
}

function writeUInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeBigUInt64LE(BigInt(value), at);
}
