import type { ByteSource } from "./byteSource.ts";
import { Cursor } from "./cursor.ts";
import { damaged, quote } from "./untrusted.ts";
import { elsewhere16, elsewhere32, findDirectory } from "./zipEnd.ts";

/** Of an entry's own header, without its name and extra fields. */
export const localHeaderBytes = 30;

const entrySignature = 0x02014b50;

// Bits that do not change how a stored entry is read: deflate level, data descriptor, UTF-8 name.
const harmlessFlags = 0x0006 | 0x0008 | 0x0800;

const zip64ExtraId = 1;

export interface DirectoryEntry {
  readonly name: string;
  /** Length of the name in the file. */
  readonly nameBytes: number;
  readonly flags: number;
  readonly crc: number;
  /** In bytes; the same compressed or not, since only stored entries are accepted. */
  readonly size: number;
  /** Where its own header begins. */
  readonly offset: number;
  /** Where what follows it begins: the next entry, or the directory. */
  readonly limit: number;
}

/**
 * The directory of a zip file (APPNOTE.TXT 6.3.10, section 4.3.12), in the order
 * of the file. Nothing compressed (so no zip bombs), nothing encrypted, no name
 * twice, no two entries over the same bytes.
 */
export async function readZipDirectory(source: ByteSource): Promise<DirectoryEntry[]> {
  const { name: file } = source;
  const { offset, size, count } = await findDirectory(source);
  const cursor = new Cursor(file, "zip directory", await source.read(offset, size));
  const entries: Omit<DirectoryEntry, "limit">[] = [];
  for (let i = 0; i < count; i++) entries.push(readEntry(file, cursor));
  if (cursor.remaining > 0)
    throw cursor.error(`want ${count} entries, got ${cursor.remaining} bytes more`);

  requireUniqueNames(file, entries);
  entries.sort((a, b) => a.offset - b.offset);
  return entries.map((entry, i) => withLimit(file, entry, entries[i + 1]?.offset ?? offset));
}

function readEntry(file: string, cursor: Cursor): Omit<DirectoryEntry, "limit"> {
  if (cursor.u32() !== entrySignature) throw cursor.error("want an entry's signature");
  cursor.bytes(4); // versions
  const flags = cursor.u16();
  const method = cursor.u16();
  cursor.bytes(4); // time and date
  const crc = cursor.u32();
  const shortCompressedSize = cursor.u32();
  const shortSize = cursor.u32();
  const nameBytes = cursor.u16();
  const extraBytes = cursor.u16();
  const commentBytes = cursor.u16();
  const shortDisk = cursor.u16();
  cursor.bytes(6); // attributes
  const shortOffset = cursor.u32();
  const name = cursor.utf8(nameBytes);
  const zip64 = zip64Extra(file, name, cursor.bytes(extraBytes));
  cursor.bytes(commentBytes);

  // The order in which the format lists them.
  const size = shortSize === elsewhere32 ? zip64.u64() : shortSize;
  const compressedSize = shortCompressedSize === elsewhere32 ? zip64.u64() : shortCompressedSize;
  const offset = shortOffset === elsewhere32 ? zip64.u64() : shortOffset;
  const disk = shortDisk === elsewhere16 ? zip64.u32() : shortDisk;

  const error = (problem: string) => cursor.error(`entry ${quote(name)}: ${problem}`);
  if (disk !== 0) throw error("want an archive in one file");
  if (flags & ~harmlessFlags)
    throw error(`want a plain entry, got flags 0x${flags.toString(16)} (encrypted?)`);
  if (method !== 0 || compressedSize !== size) {
    throw error(
      `want a stored entry, as torch.save writes them, got one compressed by method ${method}`,
    );
  }
  return { name, nameBytes, flags, crc, size, offset };
}

/** What an entry's zip64 extra field holds: the values of those fields that are marked as elsewhere. */
function zip64Extra(file: string, name: string, bytes: Uint8Array): Cursor {
  const fields = new Cursor(file, `extra fields of zip entry ${quote(name)}`, bytes);
  let content: Uint8Array = new Uint8Array();
  while (fields.remaining > 0) {
    const id = fields.u16();
    const field = fields.bytes(fields.u16());
    if (id === zip64ExtraId) content = field;
  }
  return new Cursor(file, `zip64 field of zip entry ${quote(name)}`, content);
}

function requireUniqueNames(file: string, entries: readonly { name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name)) throw damaged(file, `zip entry ${quote(name)} occurs twice`);
    names.add(name);
  }
}

/** Counts what is known before an entry's own header is read: its fixed part, its name and its data. */
function withLimit(
  file: string,
  entry: Omit<DirectoryEntry, "limit">,
  limit: number,
): DirectoryEntry {
  const end = entry.offset + localHeaderBytes + entry.nameBytes + entry.size;
  if (end > limit) {
    throw damaged(
      file,
      `zip entry ${quote(entry.name)}: want it to end by byte ${limit}, where something else begins, got ${end}`,
    );
  }
  return { ...entry, limit };
}
