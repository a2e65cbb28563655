import { crc32 } from "node:zlib";
import type { ByteSource } from "./byteSource.ts";
import { Cursor } from "./cursor.ts";
import { damaged, describe, quote } from "./untrusted.ts";
import type { DirectoryEntry } from "./zipDirectory.ts";
import { localHeaderBytes, readZipDirectory } from "./zipDirectory.ts";
import { elsewhere32 } from "./zipEnd.ts";

const localSignature = 0x04034b50;
const hasDataDescriptor = 0x0008;

/** The stored entries of one zip file, for random access. */
export interface ZipArchive {
  /** Size in bytes of each entry, by name. */
  readonly sizes: ReadonlyMap<string, number>;
  /**
   * `length` bytes of an entry from `offset`, all by default. Reads that walk an
   * entry from its first byte to its last are held against its checksum at the
   * last one; parts of an entry by themselves cannot be checked.
   */
  read(name: string, offset?: number, length?: number): Promise<Uint8Array>;
}

interface Entry extends DirectoryEntry {
  /** Known once its own header has been read. */
  dataOffset: number | undefined;
  /** How far its bytes have been read in order, and their checksum. */
  walked: { bytes: number; crc: number };
}

/** Opens a zip file by reading its directory only. `source` stays the caller's to close. */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  const entries = new Map<string, Entry>();
  for (const entry of await readZipDirectory(source)) {
    entries.set(entry.name, { ...entry, dataOffset: undefined, walked: { bytes: 0, crc: 0 } });
  }
  return {
    sizes: new Map(Array.from(entries.values(), ({ name, size }) => [name, size])),
    async read(name, offset = 0, length) {
      const entry = entries.get(name);
      if (!entry) throw damaged(source.name, `no zip entry ${quote(name)}`);
      const wanted = length ?? entry.size - offset;
      if (offset + wanted > entry.size) {
        throw damaged(
          source.name,
          `zip entry ${quote(name)}: want ${wanted} bytes at ${offset}, but it has ${entry.size}`,
        );
      }
      entry.dataOffset ??= await locateData(source, entry);
      const bytes = await source.read(entry.dataOffset + offset, wanted);
      check(source.name, entry, offset, bytes);
      return bytes;
    },
  };
}

/**
 * Where an entry's bytes begin, by its own header, which must agree with the
 * directory: otherwise this reader and another would see different files.
 */
async function locateData(source: ByteSource, entry: DirectoryEntry): Promise<number> {
  const what = `header of zip entry ${quote(entry.name)}`;
  const header = new Cursor(
    source.name,
    what,
    await source.read(entry.offset, localHeaderBytes + entry.nameBytes),
  );
  if (header.u32() !== localSignature) throw header.error("want its signature");
  header.bytes(2); // version
  const flags = header.u16();
  const method = header.u16();
  header.bytes(4); // time and date
  const sums = [header.u32(), header.u32(), header.u32()] as const;
  const nameBytes = header.u16();
  const extraBytes = header.u16();
  const name = header.utf8(entry.nameBytes);

  // torch.save writes these behind the data and leaves them zero here; zip64 has them in an extra field.
  const isElsewhere = (value: number) =>
    value === elsewhere32 || (value === 0 && (flags & hasDataDescriptor) !== 0);
  const pairs = [
    ["flags", entry.flags, flags],
    ["method", 0, method],
    ["checksum", entry.crc, isElsewhere(sums[0]) ? entry.crc : sums[0]],
    ["compressed size", entry.size, isElsewhere(sums[1]) ? entry.size : sums[1]],
    ["size", entry.size, isElsewhere(sums[2]) ? entry.size : sums[2]],
    ["name length", entry.nameBytes, nameBytes],
    ["name", entry.name, name],
  ] as const;
  for (const [field, wanted, got] of pairs) {
    if (got !== wanted)
      throw header.error(
        `${field}: want ${describe(wanted)} as in the directory, got ${describe(got)}`,
      );
  }

  const dataOffset = entry.offset + localHeaderBytes + nameBytes + extraBytes;
  if (dataOffset + entry.size > entry.limit) {
    throw header.error(
      `want its data to end by byte ${entry.limit}, got ${dataOffset + entry.size}`,
    );
  }
  return dataOffset;
}

function check(file: string, entry: Entry, offset: number, bytes: Uint8Array): void {
  if (offset === 0) entry.walked = { bytes: 0, crc: 0 };
  if (offset !== entry.walked.bytes) return;
  const crc = crc32(bytes, entry.walked.crc);
  entry.walked = { bytes: offset + bytes.length, crc };
  // Zero also means "not recorded": torch.serialization.set_crc32_options(False) leaves it.
  const isRecorded = entry.crc !== 0;
  if (isRecorded && entry.walked.bytes === entry.size && crc !== entry.crc) {
    throw damaged(
      file,
      `zip entry ${quote(entry.name)}: checksum: want ${hex(entry.crc)}, got ${hex(crc)}`,
    );
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
