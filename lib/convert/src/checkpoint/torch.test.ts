import { expect, test } from "vitest";
import { collect } from "./writing/chunks.ts";
import { expectDamaged } from "../../../../test/support/checkpoint/expectDamaged.ts";
import type { PythonValue } from "./writing/pickler.ts";
import { orderedDict, pickle, PythonCall, PythonGlobal, PythonTuple } from "./writing/pickler.ts";
import { counting, sparse } from "../../../../test/support/checkpoint/sources.ts";
import {
  PublishedFile,
  type PublishedFileOptions,
} from "../../../../test/support/checkpoint/writeTorchZip.ts";
import { localHeader, zipDirectory, zipFile } from "./writing/zipFile.ts";
import { bytesInMemory } from "./byteSource.ts";
import { readTorch } from "./torch.ts";

/** The file that torch.save would make of a value. */
async function save(
  make: (file: PublishedFile) => PythonValue,
  options?: PublishedFileOptions,
): Promise<Uint8Array> {
  const file = new PublishedFile(options);
  return collect(file.chunks(make(file)));
}

const open = (bytes: Uint8Array) => readTorch(bytesInMemory("m.pth", bytes));
const dict = (entries: Record<string, PythonValue>) =>
  new Map<PythonValue, PythonValue>(Object.entries(entries));

/** Different bytes, so that each place can be told. */
const ramp = (length: number, start = 0) =>
  Uint8Array.from({ length }, (_, i) => (start + i) & 255);

/** An archive of these entries only. */
const archive = (entries: Record<string, Uint8Array>) =>
  collect(
    zipFile(
      Object.entries(entries).map(([name, bytes]) => ({
        name,
        size: bytes.length,
        data: () => [bytes],
      })),
    ),
  );

test.each([
  { protocol: 2, location: "cuda:0" },
  { protocol: 4, location: "cpu", archive: "TinyGPT-V_for_Stage4" },
] as const)("reads a flat state dict: $protocol, $location", async (options) => {
  const bytes = await save(
    (file) =>
      orderedDict(
        dict({
          weight: file.tensor("float16", [3, 4], ramp(24)),
          bias: file.parameter(file.tensor("bfloat16", [4], ramp(8, 100))),
          scalar: file.tensor("int64", [], ramp(8, 1)),
          empty: file.tensor("float32", [0, 7], new Uint8Array()),
          extra: "not a weight",
        }),
        dict({ _metadata: orderedDict(dict({})) }),
      ),
    options,
  );
  const source = await open(bytes);
  expect([...source.tensors.values()]).toMatchObject([
    { name: "weight", dtype: "float16", shape: [3, 4], file: "m.pth" },
    { name: "bias", dtype: "bfloat16", shape: [4] },
    { name: "scalar", dtype: "int64", shape: [] },
    { name: "empty", dtype: "float32", shape: [0, 7] },
  ]);
  expect(await source.read("weight")).toEqual(ramp(24));
  expect(await source.read("weight", { start: 1, end: 3 })).toEqual(ramp(16, 8));
  expect(await source.read("weight", { start: 3, end: 3 })).toEqual(new Uint8Array());
  expect(await source.read("bias")).toEqual(ramp(8, 100));
  expect(await source.read("scalar")).toEqual(ramp(8, 1));
  expect(await source.read("empty")).toEqual(new Uint8Array());
  await expectDamaged(source.read("extra"), 'no tensor "extra"');
  await expectDamaged(source.read("weight", { start: 0, end: 4 }), '"weight"', "shape [3,4]");
  await expectDamaged(source.read("scalar", { start: 0, end: 1 }), '"scalar"', "shape []");
});

test.each(["model", "state_dict", "model_state_dict", "module"])(
  "finds the state dict under %s and leaves the rest unread",
  async (key) => {
    const bytes = await save((file) => {
      const state = dict({ exp_avg: file.tensor("float32", [1000], ramp(4000)), step: 1000 });
      return dict({
        optimizer: dict({
          state: new Map([[0, state]]),
          param_groups: [dict({ lr: 1e-4, betas: new PythonTuple(0.9, 0.999) })],
        }),
        [key]: orderedDict(dict({ weight: file.tensor("float32", [2], ramp(8)) })),
        config: dict({ run: dict({ task: "image_text_pretrain", amp: true, seed: null }) }),
        scaler: dict({ scale: 65536.5 }),
        args: new PythonCall(
          new PythonGlobal("argparse", "Namespace"),
          new PythonTuple(),
          new Map(),
          dict({
            out: new PythonCall(new PythonGlobal("pathlib", "PosixPath"), new PythonTuple("/x")),
          }),
        ),
        epoch: 4,
      });
    });
    const disk = counting(bytesInMemory("m.pth", bytes));
    const source = await readTorch(disk);
    expect([...source.tensors.keys()]).toEqual(["weight"]);
    expect(await source.read("weight")).toEqual(ramp(8));
    const optimizerStart = Buffer.from(bytes).indexOf(ramp(4000));
    const touched = disk.reads.some(
      ({ offset, length }) => offset < optimizerStart + 4000 && offset + length > optimizerStart,
    );
    expect(touched).toBe(false);
  },
);

test("finds the state dict in a container in a container", async () => {
  const bytes = await save((file) => {
    const weights = orderedDict(dict({ weight: file.tensor("float32", [2], ramp(8)) }));
    return dict({ state_dict: dict({ module: weights }), epoch: 1 });
  });
  expect([...(await open(bytes)).tensors.keys()]).toEqual(["weight"]);
});

test("tells what stands among the tensors without being one", async () => {
  const bytes = await save((file) => {
    const array = new PythonCall(
      new PythonGlobal("numpy.core.multiarray", "_reconstruct"),
      new PythonTuple(),
    );
    return dict({ weight: file.tensor("float32", [2], ramp(8)), array, version: 3 });
  });
  const { tensors, unread } = await open(bytes);
  expect([...tensors.keys()]).toEqual(["weight"]);
  expect([...unread!]).toEqual([
    ["array", 'an object of "numpy.core.multiarray._reconstruct", which is not read'],
    ["version", "3"],
  ]);
});

test("opening reads no tensor, and a tensor is one read after its header", async () => {
  const size = 1 << 20;
  const bytes = await save((file) =>
    dict(
      Object.fromEntries(
        ["a", "b", "c"].map((name) => [name, file.tensor("float32", [512, 512], ramp(size))]),
      ),
    ),
  );
  const disk = counting(bytesInMemory("m.pth", bytes));
  const source = await readTorch(disk);
  expect(disk.reads.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(10_000);
  disk.reads.length = 0;
  await source.read("b", { start: 100, end: 110 });
  expect(disk.reads.map(({ length }) => length)).toEqual([30 + "archive/data/1".length, 10 * 2048]);
  disk.reads.length = 0;
  await source.read("b");
  expect(disk.reads.map(({ length }) => length)).toEqual([size]);
});

test("views of a shared storage come out dense", async () => {
  const source = await open(
    await save((file) => {
      const storage = { dtype: "uint8", numel: 24, data: () => [ramp(24)] } as const;
      return dict({
        whole: file.view(storage, [4, 6]),
        part: file.view(storage, [2, 6], [6, 1], 6),
        transposed: file.view(storage, [6, 4], [1, 6]),
        column: file.view(storage, [4], [6], 2),
        repeated: file.view(storage, [2, 3], [0, 1], 20),
      });
    }),
  );
  expect(await source.read("whole")).toEqual(ramp(24));
  expect(await source.read("part")).toEqual(ramp(12, 6));
  expect([...(await source.read("transposed"))].slice(0, 8)).toEqual([0, 6, 12, 18, 1, 7, 13, 19]);
  expect([...(await source.read("transposed", { start: 1, end: 2 }))]).toEqual([1, 7, 13, 19]);
  expect([...(await source.read("column"))]).toEqual([2, 8, 14, 20]);
  expect([...(await source.read("repeated"))]).toEqual([20, 21, 22, 20, 21, 22]);
});

test("damage in a tensor is found when it is read whole, in one piece or by rows", async () => {
  const bytes = await save((file) =>
    dict({
      weight: file.tensor("uint8", [8, 32], ramp(256)),
      other: file.tensor("uint8", [3], ramp(3, 99)),
    }),
  );
  bytes[Buffer.from(bytes).indexOf(ramp(256)) + 100]! ^= 4;
  const source = await open(bytes);
  await expectDamaged(source.read("weight"), "m.pth", 'zip entry "archive/data/0": checksum');
  await source.read("weight", { start: 0, end: 5 });
  await expectDamaged(source.read("weight", { start: 5, end: 8 }), "checksum");
  expect(await source.read("other")).toEqual(ramp(3, 99));
});

test("damage in the pickle is found at once", async () => {
  const bytes = await save((file) => dict({ weight: file.tensor("uint8", [3], ramp(3)) }));
  bytes[Buffer.from(bytes).indexOf("weight")]! ^= 1;
  await expectDamaged(open(bytes), 'zip entry "archive/data.pkl": checksum');
});

test("a view beyond its storage is refused", async () => {
  const bytes = await save((file) => {
    const storage = { dtype: "float32", numel: 10, data: () => [ramp(40)] } as const;
    return dict({ fine: file.view(storage, [10]), beyond: file.view(storage, [3, 3], [4, 1], 1) });
  });
  await expectDamaged(
    open(bytes),
    "m.pth",
    'tensor "beyond"',
    "within the 10 elements of its storage, got one to 12",
  );
});

/** A pickle of two float32 in the storage with the key 0. */
const oneTensor = () =>
  pickle(dict({ weight: new PublishedFile().tensor("float32", [2], ramp(8)) }));

test("a storage of another size, or none, is refused", async () => {
  await expectDamaged(
    open(await archive({ "m/data.pkl": oneTensor(), "m/data/0": ramp(12) })),
    'm.pth: tensor "weight": want 8 bytes of float32 in "m/data/0", got 12',
  );
  await expectDamaged(
    open(await archive({ "m/data.pkl": oneTensor() })),
    '"m/data/0", got no such entry',
  );
});

test("the other byte order is refused", async () => {
  const entries = { "m/data.pkl": oneTensor(), "m/data/0": ramp(8) };
  await expectDamaged(
    open(await archive({ ...entries, "m/byteorder": Buffer.from("big") })),
    'want "little", got "big"',
  );
  const source = await open(await archive(entries));
  expect(await source.read("weight")).toEqual(ramp(8));
});

test.each([
  [
    "no pickle",
    { "m/version": ramp(1) },
    "want one entry NAME/data.pkl, as torch.save writes it, got 0",
  ],
  ["two pickles", { "m/data.pkl": oneTensor(), "n/data.pkl": oneTensor() }, "got 2"],
  [
    "a list",
    { "m/data.pkl": pickle([1, 2]) },
    "want a dictionary of tensors, or one under model, state_dict, model_state_dict, module, got [1,2]",
  ],
  [
    "no tensors",
    { "m/data.pkl": pickle(dict({ epoch: 1 })) },
    'a dictionary with the keys ["epoch"]',
  ],
  [
    "a whole module",
    { "m/data.pkl": pickle(new PythonCall(new PythonGlobal("model", "Net"), new PythonTuple())) },
    'got an object of "model.Net", which is not read: save the weights alone, torch.save(model.state_dict(), PATH)',
  ],
  [
    "a system call",
    { "m/data.pkl": Buffer.from("\x80\x02cos\nsystem\n.", "latin1") },
    'got an object of "os.system", which is not read',
  ],
])("refuses an archive with %s", async (_, entries, problem) => {
  await expectDamaged(open(await archive(entries)), "m.pth", problem);
});

test("refuses names that are no strings", async () => {
  const tensor = new PublishedFile().tensor("float32", [2], ramp(8));
  const entries = { "m/data.pkl": pickle(new Map([[7, tensor]])), "m/data/0": ramp(8) };
  await expectDamaged(open(await archive(entries)), "want names as keys, got 7");
});

test("a pickle larger than any checkpoint's is refused before it is read", async () => {
  const name = "m/data.pkl";
  const size = 2 ** 40;
  const header = localHeader(name, 0);
  const end = header.length + size;
  const directory = zipDirectory([{ name, size, crc: 0, offset: 0 }], end);
  const source = sparse("m.pth", end + directory.length, [
    { offset: 0, bytes: header },
    { offset: end, bytes: directory },
  ]);
  await expectDamaged(
    readTorch(source),
    "m.pth: m/data.pkl: want at most 33554432 bytes, got 1099511627776",
  );
});
