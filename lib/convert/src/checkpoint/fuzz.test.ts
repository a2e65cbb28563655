import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { collect, type TensorInput } from "./writing/chunks.ts";
import type { MutationHints } from "../../../../test/support/checkpoint/mutate.ts";
import { mutate } from "../../../../test/support/checkpoint/mutate.ts";
import { safetensorsHeader } from "./writing/safetensorsFile.ts";
import { writeTorchZip } from "../../../../test/support/checkpoint/writeTorchZip.ts";
import { zipFile } from "./writing/zipFile.ts";
import { randomBelow } from "../../../../test/support/random.ts";
import { byteLength } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { bytesInMemory } from "./byteSource.ts";
import { readPickle } from "./dataPickle.ts";
import { openWeights } from "./folder.ts";
import { unpickle } from "./pickle.ts";
import { torchNames } from "./torchNames.ts";
import { readWeights } from "./weightFile.ts";
import type { WeightSource } from "./weightSource.ts";
import type { ZipArchive } from "./zip.ts";
import { openZip } from "./zip.ts";

/** A file to damage, where to damage it, and the reader that has to cope. */
interface Target {
  readonly bytes: Uint8Array;
  readonly hints: MutationHints;
  readonly read: (mutated: Uint8Array) => Promise<unknown>;
}

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "fuzz-"));
});
afterAll(() => rm(scratch, { recursive: true }));

// Each mutation must be read, or refused by the one error that readers throw; and
// both must occur, or the mutations would show nothing.
test.each([
  { what: "safetensors", rounds: 1000, target: safetensors },
  { what: "safetensors header of a length that fits", rounds: 1000, target: safetensorsJson },
  { what: "zip", rounds: 1500, target: zip },
  { what: "pickle", rounds: 3000, target: pickle },
  { what: "pickle of annotations in text", rounds: 3000, target: textPickle },
  { what: "pickle in a zip with checksums that fit", rounds: 1000, target: repacked },
  { what: "file of PyTorch before 1.6", rounds: 1500, target: legacy },
  { what: "index of shards", rounds: 500, target: index },
])("$what: $rounds mutations", { timeout: 60_000 }, async ({ rounds, target }) => {
  const { bytes, hints, read } = await target();
  const below = randomBelow(20_240_119);
  const outcomes = { read: 0, refused: 0 };
  const broken: unknown[] = [];
  for (let round = 0; round < rounds; round++) {
    try {
      await read(mutate(bytes, hints, below));
      outcomes.read++;
    } catch (error) {
      if (isRefusal(error)) outcomes.refused++;
      else broken.push({ round, error });
    }
  }
  expect(broken).toEqual([]);
  expect(outcomes.read).toBeGreaterThan(rounds / 100);
  expect(outcomes.refused).toBeGreaterThan(rounds / 4);
});

/** The error that a reader may throw, of a length that can be shown. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof TinyGptvError && error.code === "checkpoint" && error.message.length < 1500
  );
}

async function safetensors(): Promise<Target> {
  const bytes = await readFile(fixture("micro-stage4/phi-2/model-00002-of-00002.safetensors"));
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0));
  const hot = [
    [0, 8],
    [8, dataStart],
    [bytes.length - 8, bytes.length],
  ] as const;
  return { bytes, hints: { hot, words: jsonWords }, read: readAll };
}

async function safetensorsJson(): Promise<Target> {
  const file = await readFile(fixture("micro-stage4/phi-2/model-00002-of-00002.safetensors"));
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const bytes = file.subarray(8, dataStart);
  return {
    bytes,
    hints: {
      hot: [
        [0, 200],
        [0, bytes.length],
      ],
      words: jsonWords,
    },
    read: (mutated) =>
      readAll(Buffer.concat([safetensorsHeader(mutated), file.subarray(dataStart)])),
  };
}

async function zip(): Promise<Target> {
  const bytes = await readFile(fixture("micro-stage4/TinyGPT-V_for_Stage4.pth"));
  const directory = bytes.indexOf("PK\x01\x02");
  const hot = [
    [0, 64],
    [directory, bytes.length],
    [directory, directory + 200],
    [bytes.length - 98, bytes.length],
  ] as const;
  return { bytes, hints: { hot, words: zipWords }, read: readAll };
}

async function pickle(): Promise<Target> {
  const file = await openFixture("micro-stage4/TinyGPT-V_for_Stage4.pth");
  const bytes = await file.read("TinyGPT-V_for_Stage4/data.pkl");
  return {
    bytes,
    hints: {
      hot: [
        [0, 400],
        [0, bytes.length],
      ],
      words: pickleWords,
    },
    read: async (mutated) => unpickle("fuzzed", "data.pkl", mutated, torchNames),
  };
}

/** What REFER's refs are, as Python 2 writes it. */
async function textPickle(): Promise<Target> {
  const ref = [
    ["(dp1", "S'ann_id'", "I501", "sS'split'", "S'train'", "sS'sentences'", "(lp2", "(dp3"],
    ["S'raw'", String.raw`Vthe \u201cred\u201d bowl`, "p4", "sS'id'", "L7L", "sS'weight'", "F0.5"],
    ["sag4", "asa"],
  ].flat();
  const bytes = Buffer.from(`(l${ref.join("\n").repeat(3)}.`);
  return {
    bytes,
    hints: {
      hot: [[0, bytes.length]],
      words: ["(", "l", "d", "t", "p1\n", "g1\n", "I01\n", "S''\n", "V\n", "s", "a", "."].map(
        (word) => Buffer.from(word),
      ),
    },
    read: async (mutated) => readPickle("fuzzed", mutated),
  };
}

async function repacked(): Promise<Target> {
  const file = await openFixture("micro-stage3/TinyGPT-V_for_Stage1.pth");
  const entries = new Map<string, Uint8Array>();
  for (const name of file.sizes.keys()) entries.set(name, await file.read(name));
  const name = "TinyGPT-V_for_Stage1/data.pkl";
  const bytes = entries.get(name)!;
  return {
    bytes,
    hints: {
      hot: [
        [0, 400],
        [0, bytes.length / 3],
      ],
      words: pickleWords,
    },
    async read(mutated) {
      entries.set(name, mutated);
      const inputs = Array.from(entries, ([entry, data]) => ({
        name: entry,
        size: data.length,
        data: () => [data],
      }));
      await readAll(await collect(zipFile(inputs)));
    },
  };
}

async function legacy(): Promise<Target> {
  const path = join(scratch, "legacy.pth");
  const source = await openWeights(fixture("micro-stage3/TinyGPT-V_for_Stage1.pth"));
  const tensors: [string, TensorInput][] = [];
  for (const { name, dtype, shape } of source.tensors.values())
    tensors.push([name, { dtype, shape, data: await source.read(name) }]);
  await source.close();
  await writeTorchZip(path, tensors, { under: "model", legacy: true });
  const bytes = await readFile(path);
  const pickles = bytes.lastIndexOf("]q") + 1000;
  return {
    bytes,
    hints: {
      hot: [
        [14, 400],
        [14, pickles],
        [pickles - 1000, pickles],
      ],
      words: pickleWords,
    },
    read: readAll,
  };
}

async function index(): Promise<Target> {
  const name = "model.safetensors.index.json";
  for (const shard of ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]) {
    await symlink(fixture(`micro-stage4/phi-2/${shard}`), join(scratch, shard));
  }
  const bytes = await readFile(fixture(`micro-stage4/phi-2/${name}`));
  return {
    bytes,
    hints: {
      hot: [
        [0, 60],
        [0, bytes.length],
      ],
      words: jsonWords,
    },
    async read(mutated) {
      await writeFile(join(scratch, name), mutated);
      await (await openWeights(scratch)).close();
    },
  };
}

function fixture(path: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/${path}`, import.meta.url));
}

async function openFixture(path: string): Promise<ZipArchive> {
  return openZip(bytesInMemory(path, await readFile(fixture(path))));
}

/** Reads every tensor, and holds it to what was said of it. */
async function readAll(bytes: Uint8Array): Promise<void> {
  const source: WeightSource = await readWeights(bytesInMemory("fuzzed", bytes));
  for (const { name, dtype, shape } of source.tensors.values()) {
    const { length } = await source.read(name);
    if (length !== byteLength(dtype, shape))
      throw new Error(`${name}: ${length} bytes for ${dtype} [${shape}]`);
  }
}

function words(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => Buffer.from(text, "latin1"));
}

const structure = ['"', "{", "}", "[", "]", ",", ":", '"a":', '"weight_map"', '"__metadata__"'];
const values = ["-1", "1e9", "9007199254740993", "null", '"F32"', "\\u0000", "../", "/", "\0", "."];
const jsonWords = words(...structure, ...values);

const signatures = ["PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "PK\x06\x06", "PK\x06\x07"];
const zipWords = words(...signatures, "\xff\xff\xff\xff", "data.pkl", "data/0");

const printableOpcodes = "(.01NKMJGXU]}()tasuebQRhjqrciodl";
const otherOpcodes =
  "\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98";
const phrases = [
  "\x80\x02",
  "\x8a\x01\xff",
  "\x8c\x01a",
  ")R",
  "J\xff\xff\xff\x7f",
  "}q\x01",
  "h\x01",
];
const names = [
  "cos\nsystem\n",
  "cargparse\nNamespace\n)\x81",
  "ctorch\nFloatStorage\n",
  "ctorch\nLongStorage\n",
  "ccollections\nOrderedDict\n",
];
const pickleWords = words(...(printableOpcodes + otherOpcodes), ...phrases, ...names);
