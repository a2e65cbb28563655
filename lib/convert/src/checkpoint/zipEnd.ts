import type { ByteSource } from "./byteSource.ts";
import { Cursor } from "./cursor.ts";
import { damaged } from "./untrusted.ts";

// A checkpoint of a thousand tensors needs 0.1 MB.
const maxDirectoryBytes = 16 << 20;

const endBytes = 22;
const zip64LocatorBytes = 20;
const zip64EndBytes = 56;

const endSignature = 0x06054b50;
const zip64EndSignature = 0x06064b50;
const zip64LocatorSignature = 0x07064b50;

/** In a 16- or 32-bit field: the value is in a zip64 record. */
export const elsewhere16 = 0xffff;
export const elsewhere32 = 0xffffffff;

/** Where a zip file's directory lies, and how many entries it lists. */
export interface DirectoryExtent {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/**
 * Finds the directory through the records at the end of a zip file (APPNOTE.TXT
 * 6.3.10, sections 4.3.14 to 4.3.16). Stricter than the format, as the files of
 * torch.save allow: no comment, nothing appended, no gaps, one disk.
 */
export async function findDirectory(source: ByteSource): Promise<DirectoryExtent> {
  const { name: file, size: fileBytes } = source;
  if (fileBytes < endBytes)
    throw damaged(file, `want a zip file of ${endBytes} bytes or more, got ${fileBytes}`);
  const tailBytes = Math.min(fileBytes, endBytes + zip64LocatorBytes);
  const tail = await source.read(fileBytes - tailBytes, tailBytes);

  const endOffset = fileBytes - endBytes;
  const small = readEnd(new Cursor(file, "zip end record", tail.subarray(tailBytes - endBytes)));
  const zip64 = await readZip64(
    source,
    tail.subarray(0, tailBytes - endBytes),
    endOffset - zip64LocatorBytes,
  );
  const { extent, end } = zip64 ?? { extent: small, end: endOffset };

  for (const [field, marker] of markers) {
    const isElsewhere = zip64 !== undefined && small[field] === marker;
    if (!isElsewhere && small[field] !== extent[field]) {
      throw damaged(
        file,
        `zip end record: ${field}: want ${extent[field]} as in zip64's, got ${small[field]}`,
      );
    }
  }
  if (extent.size > maxDirectoryBytes) {
    throw damaged(
      file,
      `zip directory: want at most ${maxDirectoryBytes} bytes, got ${extent.size}`,
    );
  }
  if (extent.offset + extent.size !== end) {
    throw damaged(
      file,
      `zip directory: want it to end at byte ${end}, got ${extent.offset} + ${extent.size}`,
    );
  }
  return extent;
}

const markers = [
  ["count", elsewhere16],
  ["size", elsewhere32],
  ["offset", elsewhere32],
] as const;

function readEnd(record: Cursor): DirectoryExtent {
  if (record.u32() !== endSignature) {
    throw record.error("want its signature; the file is cut short or has something appended");
  }
  const disks = [record.u16(), record.u16()];
  const countHere = record.u16();
  const count = record.u16();
  const isWhole = disks.every((disk) => disk === 0 || disk === elsewhere16) && countHere === count;
  if (!isWhole) throw record.error("want an archive in one file");
  const extent = { count, size: record.u32(), offset: record.u32() };
  if (record.u16() !== 0) throw record.error("want no comment");
  return extent;
}

/** The zip64 end record, if there is a locator at `position`; it must lie right before it. */
async function readZip64(
  source: ByteSource,
  locatorBytes: Uint8Array,
  position: number,
): Promise<{ extent: DirectoryExtent; end: number } | undefined> {
  const locator = new Cursor(source.name, "zip64 locator", locatorBytes);
  if (locator.remaining < zip64LocatorBytes || locator.u32() !== zip64LocatorSignature)
    return undefined;
  const disk = locator.u32();
  const end = locator.u64();
  if (disk !== 0 || locator.u32() !== 1) throw locator.error("want an archive in one file");
  const wanted = position - zip64EndBytes;
  if (end !== wanted)
    throw locator.error(`want the zip64 end record at byte ${wanted}, got ${end}`);

  const record = new Cursor(source.name, "zip64 end record", await source.read(end, zip64EndBytes));
  if (record.u32() !== zip64EndSignature) throw record.error("want its signature");
  if (record.u64() !== zip64EndBytes - 12)
    throw record.error(`want a length of ${zip64EndBytes - 12}`);
  record.bytes(4); // versions
  const isFirstDisk = record.u32() === 0 && record.u32() === 0;
  const countHere = record.u64();
  const count = record.u64();
  if (!isFirstDisk || countHere !== count) throw record.error("want an archive in one file");
  return { extent: { count, size: record.u64(), offset: record.u64() }, end };
}
