import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TensorInput } from "./writing/chunks.ts";
import { expectDamaged } from "../../../../test/support/checkpoint/expectDamaged.ts";
import { writeSafetensors } from "../../../../test/support/checkpoint/writeSafetensors.ts";
import { safetensorsHeader } from "./writing/safetensorsFile.ts";
import { writeTorchZip } from "../../../../test/support/checkpoint/writeTorchZip.ts";
import { openWeights } from "./folder.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "folder-"));
});
afterAll(() => rm(root, { recursive: true }));

let folders = 0;
async function newFolder(): Promise<string> {
  const path = join(root, String(folders++));
  await mkdir(path);
  return path;
}

const tensor = (value: number): TensorInput => ({
  dtype: "uint8",
  shape: [2],
  data: Uint8Array.of(value, value),
});

/** A folder with two shards in a format, and an index of this map (or of what is in them). */
async function sharded(
  write: typeof writeSafetensors,
  names: { index: string; shards: readonly [string, string] },
  weightMap: unknown = { a: names.shards[0], b: names.shards[1], c: names.shards[1] },
): Promise<string> {
  const path = await newFolder();
  await write(join(path, names.shards[0]), [["a", tensor(1)]]);
  await write(join(path, names.shards[1]), [
    ["b", tensor(2)],
    ["c", tensor(3)],
  ]);
  await writeFile(
    join(path, names.index),
    JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap }),
  );
  return path;
}

const safetensors = {
  index: "model.safetensors.index.json",
  shards: ["model-1.safetensors", "model-2.safetensors"],
} as const;
const bin = {
  index: "pytorch_model.bin.index.json",
  shards: ["pytorch_model-1.bin", "pytorch_model-2.bin"],
} as const;

test.each([
  ["safetensors", writeSafetensors, safetensors],
  ["torch files", writeTorchZip, bin],
] as const)("opens a folder of %s in shards", async (_, write, names) => {
  const path = await sharded(write, names);
  const source = await openWeights(path);
  expect(source.path).toBe(path);
  expect([...source.tensors.values()].map(({ name, file }) => [name, file])).toEqual([
    ["a", join(path, names.shards[0])],
    ["b", join(path, names.shards[1])],
    ["c", join(path, names.shards[1])],
  ]);
  expect(await source.read("c")).toEqual(Uint8Array.of(3, 3));
  expect(await source.read("a", { start: 1, end: 2 })).toEqual(Uint8Array.of(1));
  await expectDamaged(source.read("d"), 'no tensor "d"');
  await source.close();
  for (const name of ["a", "b"]) {
    await expect(source.read(name)).rejects.toMatchObject({ name: "TinyGptvError", code: "io" });
  }
});

test("tells formats by content, whatever the names", async () => {
  const path = await newFolder();
  await writeSafetensors(join(path, "pytorch_model.bin"), [["a", tensor(1)]]);
  await writeTorchZip(join(path, "weights.safetensors"), [["b", tensor(2)]], { under: "model" });
  for (const [file, name, value] of [
    [path, "a", 1],
    [join(path, "pytorch_model.bin"), "a", 1],
    [join(path, "weights.safetensors"), "b", 2],
  ] as const) {
    const source = await openWeights(file);
    expect(await source.read(name)).toEqual(Uint8Array.of(value, value));
    await source.close();
  }
});

test("a safetensors header of any length is told from a pickle", async () => {
  const path = join(await newFolder(), "weights");
  for (const length of [0x80, 0x180, 0x280, 0x580]) {
    const json = '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.padEnd(length);
    await writeFile(path, Buffer.concat([safetensorsHeader(json), Uint8Array.of(9)]));
    const source = await openWeights(path);
    expect(await source.read("a")).toEqual(Uint8Array.of(9));
    await source.close();
  }
});

test("takes the file that transformers would take", async () => {
  const path = await sharded(writeTorchZip, bin);
  await writeTorchZip(join(path, "pytorch_model.bin"), [["a", tensor(7)]]);
  const before = await openWeights(path);
  expect(await before.read("a")).toEqual(Uint8Array.of(7, 7));
  await before.close();
  await writeSafetensors(join(path, "model.safetensors"), [["a", tensor(8)]]);
  const after = await openWeights(path);
  expect(await after.read("a")).toEqual(Uint8Array.of(8, 8));
  await after.close();
});

test("follows links, as a Hugging Face cache has them", async () => {
  const blobs = await sharded(writeSafetensors, safetensors);
  const path = await newFolder();
  for (const name of [safetensors.index, ...safetensors.shards])
    await symlink(join(blobs, name), join(path, name));
  const source = await openWeights(path);
  expect(await source.read("b")).toEqual(Uint8Array.of(2, 2));
  await source.close();
});

const [one, two] = safetensors.shards;

test.each([
  [
    "a tensor that is in no shard",
    { a: one, b: two, c: two, d: two },
    ['tensor "d"', `want it in "${two}"`],
  ],
  [
    "a tensor in the other shard",
    { a: one, b: one, c: two },
    ['tensor "b"', `want it in "${one}"`],
  ],
  ["a tensor that it leaves out", { a: one, b: two }, [two, 'tensor "c"', "nowhere"]],
  ["no tensors", {}, ["weight_map: want tensors, got none"]],
  ["no map", undefined, [""]],
  ["a map that is a list", [], ["weight_map: want an object"]],
  [
    "a folder above",
    { a: "../model-1.safetensors" },
    ['tensor "a"', "want a file name without a folder"],
  ],
  ["a folder below", { a: "x/model-1.safetensors" }, ["without a folder"]],
  ["an absolute path", { a: "/etc/passwd" }, ['without a folder, got "/etc/passwd"']],
  ["a path of Windows", { a: "..\\model" }, ["without a folder"]],
  ["itself", { a: "." }, ["without a folder"]],
  ["its parent", { a: ".." }, ["without a folder"]],
  ["a number", { a: 1 }, ["without a folder, got 1"]],
  [
    "more shards than a model has",
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}`, `${i}.safetensors`])),
    ["want at most 256 shards, got 300"],
  ],
])("refuses an index with %s", async (_, weightMap, parts) => {
  const path = await sharded(
    writeSafetensors,
    safetensors,
    weightMap === undefined ? null : weightMap,
  );
  await expectDamaged(openWeights(path), ...parts);
});

test("an index that is cut short or says a thing twice is refused", async () => {
  const path = await sharded(writeSafetensors, safetensors);
  await writeFile(join(path, safetensors.index), '{"weight_map": {"a": "model-1');
  await expectDamaged(openWeights(path), safetensors.index, "want JSON");
  await writeFile(join(path, safetensors.index), `{"weight_map": {"a": "${one}", "a": "${two}"}}`);
  await expectDamaged(openWeights(path), safetensors.index, 'key "a" occurs twice');
});

test("a missing or damaged shard is an error with its name", async () => {
  const path = await sharded(writeSafetensors, safetensors);
  await writeFile(join(path, two), "");
  await expectDamaged(openWeights(path), join(path, two), "got an empty file");
  await rm(join(path, two));
  await expectDamaged(
    openWeights(path),
    safetensors.index,
    `want the shards ["${two}"], which are not there`,
  );
});

test("a folder without weights says what it looked for and what it found", async () => {
  const path = await newFolder();
  await writeFile(join(path, "config.json"), "{}");
  await expectDamaged(
    openWeights(path),
    path,
    "model.safetensors.index.json",
    'got ["config.json"]',
  );
  await expect(openWeights(join(path, "missing"))).rejects.toMatchObject({ code: "io" });
});

test.each([
  [
    "of the first PyTorch",
    Buffer.concat([Buffer.alloc(257), Buffer.from("ustar\0")]),
    "is a tar file",
  ],
  ["of a bare pickle", Buffer.from("80047d942e", "hex"), "is a bare pickle"],
  [
    "of Git LFS",
    Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:00"),
    "git lfs pull",
  ],
  ["of a failed download", Buffer.from("\n<!DOCTYPE html><html>"), "is a web page"],
  ["of nothing", Buffer.alloc(0), "got an empty file"],
  [
    "of something else",
    Buffer.from("GGUF\u0003\0\0\0\0\0"),
    "got one that begins with 0x4747554603000000",
  ],
])("says what to do about a file %s", async (_, bytes, problem) => {
  const path = join(await newFolder(), "m.pth");
  await writeFile(path, bytes);
  await expectDamaged(openWeights(path), path, problem);
});
