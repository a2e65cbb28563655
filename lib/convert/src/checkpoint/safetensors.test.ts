import { expect, test } from "vitest";
import { collect } from "./writing/chunks.ts";
import { expectDamaged } from "../../../../test/support/checkpoint/expectDamaged.ts";
import { counting } from "../../../../test/support/checkpoint/sources.ts";
import { safetensorsFile, safetensorsHeader } from "./writing/safetensorsFile.ts";
import { bytesInMemory } from "./byteSource.ts";
import { readSafetensors } from "./safetensors.ts";

const weight = Uint8Array.from({ length: 24 }, (_, i) => i);
const tensors = [
  ["weight", { dtype: "float16", shape: [3, 4], data: weight }],
  ["empty", { dtype: "float32", shape: [0, 4], data: new Uint8Array() }],
  ["scalar", { dtype: "int64", shape: [], data: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) }],
] as const;

const open = (bytes: Uint8Array) => readSafetensors(bytesInMemory("m.safetensors", bytes));

/** A file with any header text and so many zero bytes of data. */
const withHeader = (header: unknown, dataBytes: number) => {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  return open(Buffer.concat([safetensorsHeader(text), Buffer.alloc(dataBytes)]));
};

test("lists names, types and shapes, and reads tensors and rows", async () => {
  const source = await open(await collect(safetensorsFile(tensors)));
  expect([...source.tensors.values()]).toMatchObject([
    { name: "weight", dtype: "float16", shape: [3, 4], file: "m.safetensors" },
    { name: "empty", dtype: "float32", shape: [0, 4] },
    { name: "scalar", dtype: "int64", shape: [] },
  ]);
  expect(await source.read("weight")).toEqual(weight);
  expect(await source.read("weight", { start: 1, end: 3 })).toEqual(weight.slice(8));
  expect(await source.read("weight", { start: 2, end: 2 })).toEqual(new Uint8Array());
  expect(await source.read("empty")).toEqual(new Uint8Array());
  expect(await source.read("empty", { start: 0, end: 0 })).toEqual(new Uint8Array());
  expect((await source.read("scalar"))[0]).toBe(7);
});

test("opening reads the header only, and rows only their bytes", async () => {
  const bytes = await collect(safetensorsFile(tensors));
  const disk = counting(bytesInMemory("m.safetensors", bytes));
  const source = await readSafetensors(disk);
  const headerBytes = bytes.length - 32;
  expect(disk.reads).toEqual([
    { offset: 0, length: 8 },
    { offset: 8, length: headerBytes - 8 },
  ]);
  await source.read("weight", { start: 1, end: 2 });
  expect(disk.reads[2]).toEqual({ offset: headerBytes + 8, length: 8 });
});

test("unknown names and rows are errors", async () => {
  const source = await open(await collect(safetensorsFile(tensors)));
  await expectDamaged(source.read("wieght"), 'no tensor "wieght"');
  for (const rows of [
    { start: 0, end: 4 },
    { start: 2, end: 1 },
    { start: -1, end: 1 },
    { start: 0.5, end: 1 },
  ]) {
    await expectDamaged(
      source.read("weight", rows),
      '"weight"',
      "shape [3,4]",
      `[${rows.start}, ${rows.end})`,
    );
  }
  await expectDamaged(source.read("scalar", { start: 0, end: 1 }), '"scalar"', "shape []");
});

test("a file cut short anywhere is an error", async () => {
  const bytes = await collect(safetensorsFile(tensors));
  for (let length = 0; length < bytes.length; length++) {
    await expectDamaged(open(bytes.slice(0, length)), "m.safetensors");
  }
  await expectDamaged(
    open(Buffer.concat([bytes, Buffer.alloc(1)])),
    `want a file of ${bytes.length} bytes`,
  );
});

const f32 = (begin: number, end: number) => ({
  dtype: "F32",
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});

test.each([
  ["not an object", "[]", 0, "header: want an object"],
  [
    "a key twice",
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}',
    0,
    'key "a" occurs twice',
  ],
  [
    "metadata that are no strings",
    { __metadata__: { a: 1 } },
    0,
    '__metadata__: "a": want a string, got 1',
  ],
  [
    "an unknown type",
    { a: { dtype: "F8_E4M3", shape: [4], data_offsets: [0, 4] } },
    4,
    'got "F8_E4M3"',
  ],
  ["an unknown field", { a: { ...f32(0, 4), strides: [1] } }, 4, 'unknown field "strides"'],
  [
    "no shape",
    { a: { dtype: "F32", data_offsets: [0, 4] } },
    4,
    "shape: want a list of sizes, got nothing",
  ],
  ["a negative size", { a: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }, 4, "got [-1]"],
  [
    "a fractional size",
    { a: { dtype: "F32", shape: [0.5], data_offsets: [0, 2] } },
    2,
    "got [0.5]",
  ],
  [
    "offsets in reverse",
    { a: { dtype: "F32", shape: [1], data_offsets: [4, 0] } },
    4,
    "want [begin, end], got [4,0]",
  ],
  [
    "one offset",
    { a: { dtype: "F32", shape: [1], data_offsets: [4] } },
    4,
    "want [begin, end], got [4]",
  ],
  [
    "a shape that is not its bytes",
    { a: { dtype: "F32", shape: [2], data_offsets: [0, 4] } },
    4,
    "want 8 bytes for float32 [2], got 4",
  ],
  [
    "a product beyond all numbers",
    { a: { dtype: "F32", shape: Array.from({ length: 40 }, () => 2 ** 40), data_offsets: [0, 0] } },
    0,
    "got 0",
  ],
  [
    "the same with a zero",
    {
      a: {
        dtype: "F32",
        shape: [...Array.from({ length: 40 }, () => 2 ** 40), 0],
        data_offsets: [0, 0],
      },
    },
    0,
    "got 0",
  ],
  [
    "too many dimensions",
    { a: { dtype: "F32", shape: Array(100).fill(1), data_offsets: [0, 4] } },
    4,
    "shape",
  ],
  ["an overlap", { a: f32(0, 8), b: f32(4, 12) }, 12, '"b": overlaps another'],
  ["the same bytes twice", { a: f32(0, 8), b: f32(0, 8) }, 8, "overlaps another"],
  ["a gap", { a: f32(0, 4), b: f32(8, 12) }, 12, '"b": leaves a gap'],
  ["a gap at the start", { a: f32(4, 8) }, 8, '"a": leaves a gap'],
  ["bytes beyond the file", { a: f32(0, 8) }, 4, "want a file of"],
  ["bytes of no tensor", { a: f32(0, 4) }, 8, "want a file of"],
])("refuses %s", async (_, header, dataBytes, problem) => {
  await expectDamaged(withHeader(header, dataBytes), "m.safetensors", problem);
});

test("an absurd header length is refused before it is allocated", async () => {
  const bytes = Buffer.alloc(64, " ");
  for (const length of [57n, 2n ** 31n, 2n ** 53n, 2n ** 64n - 1n]) {
    bytes.writeBigUInt64LE(length);
    await expectDamaged(open(bytes), "header: want at most 56 bytes");
  }
});
