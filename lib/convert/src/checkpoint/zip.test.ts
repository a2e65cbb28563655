import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { collect } from "./writing/chunks.ts";
import { expectDamaged } from "../../../../test/support/checkpoint/expectDamaged.ts";
import { counting, sparse } from "../../../../test/support/checkpoint/sources.ts";
import type { ZipInput } from "./writing/zipFile.ts";
import { localHeader, zipDirectory, zipFile } from "./writing/zipFile.ts";
import { bytesInMemory } from "./byteSource.ts";
import { openZip } from "./zip.ts";

const content = Buffer.from("The quick brown fox jumps over the lazy dog");
const input = (name: string, bytes: Uint8Array = content): ZipInput => ({
  name,
  size: bytes.length,
  data: () => [bytes],
});
const archive = async (...inputs: ZipInput[]) => Buffer.from(await collect(zipFile(inputs)));
const open = (bytes: Uint8Array) => openZip(bytesInMemory("m.zip", bytes));

// Offsets of fields in an entry's own header and in its directory header.
const local = {
  signature: 0,
  flags: 6,
  method: 8,
  crc: 14,
  storedSize: 18,
  size: 22,
  nameLength: 26,
  name: 30,
};
const central = {
  signature: 0,
  flags: 8,
  method: 10,
  crc: 16,
  storedSize: 20,
  size: 24,
  disk: 34,
  offset: 42,
};

/** Where the directory header of the only entry is. */
const directoryOf = (bytes: Buffer) => bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));

test("reads entries whole and in parts", async () => {
  const zip = await open(
    await archive(input("a/data.pkl"), input("a/data/0", new Uint8Array()), input("a/ü")),
  );
  expect([...zip.sizes]).toEqual([
    ["a/data.pkl", 43],
    ["a/data/0", 0],
    ["a/ü", 43],
  ]);
  expect(Buffer.from(await zip.read("a/data.pkl"))).toEqual(content);
  expect(Buffer.from(await zip.read("a/ü", 4, 5)).toString()).toBe("quick");
  expect(await zip.read("a/data/0")).toEqual(new Uint8Array());
  await expectDamaged(zip.read("b"), 'no zip entry "b"');
  await expectDamaged(zip.read("a/ü", 40, 4), '"a/ü"', "want 4 bytes at 40, but it has 43");
});

test("opening reads the end and the directory, a part its header and itself", async () => {
  const bytes = await archive(input("a", Buffer.alloc(1 << 20)));
  const disk = counting(bytesInMemory("m.zip", bytes));
  const zip = await openZip(disk);
  expect(disk.reads.every(({ offset }) => offset >= directoryOf(bytes))).toBe(true);
  disk.reads.length = 0;
  await zip.read("a", 100, 10);
  expect(disk.reads).toEqual([
    { offset: 0, length: 31 },
    { offset: 64 + 100, length: 10 },
  ]);
});

test("entries beyond 4 GiB, by size and by offset", async () => {
  const size = 5 * 2 ** 30;
  const first = localHeader("large", 0);
  const second = {
    offset: first.length + size + 24,
    header: localHeader("far", first.length + size + 24),
  };
  const end = second.offset + second.header.length + content.length;
  const directory = zipDirectory(
    [
      { name: "large", size, crc: 1, offset: 0 },
      { name: "far", size: content.length, crc: 0x414fa339, offset: second.offset },
    ],
    end,
  );
  const source = sparse("m.zip", end + directory.length, [
    { offset: 0, bytes: first },
    { offset: first.length + size - 4, bytes: Buffer.from("last") },
    { offset: second.offset, bytes: Buffer.concat([second.header, content, directory]) },
  ]);
  const zip = await openZip(source);
  expect([...zip.sizes.values()]).toEqual([size, content.length]);
  expect(Buffer.from(await zip.read("large", size - 4, 4)).toString()).toBe("last");
  expect(Buffer.from(await zip.read("far"))).toEqual(content);
});

test("an archive without zip64 records, as other tools write it", async () => {
  const bytes = await archive(input("a"));
  const zip64Bytes = 56 + 20;
  const plain = Buffer.concat([bytes.subarray(0, -22 - zip64Bytes), bytes.subarray(-22)]);
  expect(Buffer.from(await (await open(plain)).read("a"))).toEqual(content);
});

test("a wrong checksum is an error once the whole entry has been read, in one read or several", async () => {
  const bytes = await archive(input("a"), input("b"));
  bytes[bytes.indexOf("fox")]! ^= 1;
  const zip = await open(bytes);
  await expectDamaged(zip.read("a"), "m.zip", 'zip entry "a": checksum: want 0x414fa339, got 0x');
  await zip.read("a", 0, 10);
  await zip.read("a", 10, 20);
  await expectDamaged(zip.read("a", 30, 13), '"a": checksum');
  await zip.read("a", 30, 13);
  expect(Buffer.from(await zip.read("b"))).toEqual(content);
});

test("a checksum that torch was told not to compute is not held against the data", async () => {
  const bytes = await archive(input("a"));
  bytes.writeUInt32LE(0, directoryOf(bytes) + central.crc);
  expect(Buffer.from(await (await open(bytes)).read("a"))).toEqual(content);
});

test.each([
  ["flags", local.flags, "flags: want 2056 as in the directory, got 2057"],
  ["method", local.method, "method: want 0 as in the directory, got 1"],
  ["checksum", local.crc, "checksum: want"],
  ["compressed size", local.storedSize, "compressed size: want 43 as in the directory, got 1"],
  ["size", local.size, "size: want 43 as in the directory, got 1"],
  ["name length", local.nameLength, "name length: want 5"],
  ["name", local.name, 'name: want "entry" as in the directory, got "dntry"'],
  ["signature", local.signature, "want its signature"],
])("an entry's own header must agree with the directory: %s", async (_, offset, problem) => {
  const bytes = await archive(input("entry"));
  bytes[offset]! ^= 1;
  const zip = await open(bytes);
  await expectDamaged(zip.read("entry"), "m.zip", 'header of zip entry "entry"', problem);
});

test.each([
  ["signature", central.signature, 1, "want an entry's signature"],
  ["encryption", central.flags, 1, '"a": want a plain entry'],
  ["compression", central.method, 8, '"a": want a stored entry'],
  ["compressed size", central.storedSize, 1, '"a": want a stored entry'],
  ["disk", central.disk, 1, "want an archive in one file"],
  ["offset", central.offset + 3, 0x7f, '"a": want it to end by byte'],
])("refuses a directory entry by its %s", async (_, offset, bits, problem) => {
  const bytes = await archive(input("a"));
  bytes[directoryOf(bytes) + offset]! ^= bits;
  await expectDamaged(open(bytes), "m.zip", problem);
});

test("a compressed entry is refused, however small it is or large it would become", async () => {
  const bomb = deflateRawSync(Buffer.alloc(1 << 24));
  const bytes = await archive(input("a/data.pkl", bomb));
  const at = directoryOf(bytes);
  bytes.writeUInt16LE(8, at + central.method);
  bytes.writeUInt32LE(1 << 24, at + central.size);
  await expectDamaged(open(bytes), '"a/data.pkl": want a stored entry, as torch.save writes them');
});

test("names must be unique and UTF-8", async () => {
  await expectDamaged(
    open(await archive(input("a"), input("b"), input("a"))),
    'zip entry "a" occurs twice',
  );
  const bytes = await archive(input("a"));
  bytes[directoryOf(bytes) + 46] = 0xff;
  await expectDamaged(open(bytes), "want UTF-8");
});

test("entries must not overlap, in the directory or by their own headers", async () => {
  const bytes = await archive(input("a"), input("b"));
  const first = directoryOf(bytes);
  const grown = Buffer.from(bytes);
  for (const field of [central.storedSize, central.size]) grown.writeUInt32LE(150, first + field);
  await expectDamaged(open(grown), 'zip entry "a": want it to end by byte');

  const extraLength = 28;
  bytes.writeUInt16LE(bytes.readUInt16LE(extraLength) + 100, extraLength);
  const zip = await open(bytes);
  await expectDamaged(zip.read("a"), '"a": want its data to end by byte');
});

test("sizes marked as zip64 must be there", async () => {
  const bytes = await archive(input("a"));
  bytes.writeUInt32LE(0xffffffff, directoryOf(bytes) + central.size);
  await expectDamaged(open(bytes), 'zip64 field of zip entry "a"', "want 8 more bytes, got 0");
});

test("an archive cut short or with something appended is refused", async () => {
  const bytes = await archive(input("a"), input("b"));
  for (let length = 0; length < bytes.length; length++)
    await expectDamaged(open(bytes.subarray(0, length)), "m.zip");
  await expectDamaged(open(Buffer.concat([bytes, Buffer.alloc(1)])), "m.zip", "zip end record");
});

/** Where fields lie from the end of the file. */
const end = { count: -12, size: -10, offset: -6, comment: -2 };
const zip64 = { locatedAt: -34, length: -94, count: -66, size: -58, offset: -50 };

test.each([
  ["count", end.count, "want an archive in one file"],
  ["directory size", end.size, "size: want"],
  ["directory offset", end.offset, "offset: want"],
  ["comment", end.comment, "want no comment"],
  ["zip64 record's place", zip64.locatedAt, "want the zip64 end record at byte"],
  ["zip64 record's length", zip64.length, "want a length of 44"],
  ["zip64 count", zip64.count, "want an archive in one file"],
  ["zip64 directory size", zip64.size, "size: want"],
  ["zip64 directory offset", zip64.offset, "offset: want"],
])("refuses end records with a wrong %s", async (_, offset, problem) => {
  const bytes = await archive(input("a"));
  bytes[bytes.length + offset]! ^= 1;
  await expectDamaged(open(bytes), "m.zip", problem);
});

test("a directory that claims an absurd number of entries ends with its bytes", async () => {
  const bytes = await archive(input("a"));
  bytes.writeUInt16LE(0xffff, bytes.length + end.count);
  bytes.writeUInt16LE(0xffff, bytes.length + end.count - 2);
  for (const offset of [zip64.count, zip64.count - 8])
    bytes.writeBigUInt64LE(2n ** 60n, bytes.length + offset);
  await expectDamaged(open(bytes), "zip directory: cut short");
});
