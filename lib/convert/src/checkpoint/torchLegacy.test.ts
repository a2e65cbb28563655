import { expect, test } from "vitest";
import { collect } from "./writing/chunks.ts";
import { expectDamaged } from "../../../../test/support/checkpoint/expectDamaged.ts";
import {
  orderedDict,
  PersistentId,
  PythonCall,
  PythonGlobal,
  PythonTuple,
  type PythonValue,
} from "./writing/pickler.ts";
import { PublishedFile } from "../../../../test/support/checkpoint/writeTorchZip.ts";
import { bytesInMemory } from "./byteSource.ts";
import { readWeights } from "./weightFile.ts";

const dict = (entries: Record<string, PythonValue>) =>
  new Map<PythonValue, PythonValue>(Object.entries(entries));
const ramp = (length: number, start = 0) =>
  Uint8Array.from({ length }, (_, i) => (start + i) & 255);

async function save(make: (file: PublishedFile) => PythonValue, protocol: 2 | 4 = 2) {
  const file = new PublishedFile({ legacy: true, protocol });
  return collect(file.chunks(make(file)));
}
const open = (bytes: Uint8Array) => readWeights(bytesInMemory("m.pth", bytes));

test.each([2, 4] as const)(
  "reads what PyTorch before 1.6 wrote (protocol %i)",
  async (protocol) => {
    const bytes = await save((file) => {
      const storage = { dtype: "uint8", numel: 24, data: () => [ramp(24, 50)] } as const;
      return dict({
        model: orderedDict(
          dict({
            weight: file.tensor("float16", [3, 4], ramp(24)),
            part: file.view(storage, [2, 6], [6, 1], 6),
            transposed: file.view(storage, [6, 4], [1, 6]),
            bias: file.parameter(file.tensor("bfloat16", [4], ramp(8, 100))),
          }),
        ),
        args: new PythonCall(new PythonGlobal("argparse", "Namespace"), new PythonTuple()),
      });
    }, protocol);
    const source = await open(bytes);
    expect([...source.tensors.values()]).toMatchObject([
      { name: "weight", dtype: "float16", shape: [3, 4], file: "m.pth" },
      { name: "part", dtype: "uint8", shape: [2, 6] },
      { name: "transposed", shape: [6, 4] },
      { name: "bias", dtype: "bfloat16", shape: [4] },
    ]);
    expect(await source.read("weight")).toEqual(ramp(24));
    expect(await source.read("weight", { start: 1, end: 3 })).toEqual(ramp(16, 8));
    expect(await source.read("part")).toEqual(ramp(12, 56));
    expect([...(await source.read("transposed"))].slice(0, 5)).toEqual([50, 56, 62, 68, 51]);
    expect(await source.read("bias")).toEqual(ramp(8, 100));
  },
);

test("reads a tensor as PyTorch before 0.4 rebuilt it", async () => {
  const bytes = await save((file) => {
    const { args } = file.tensor("float32", [2], ramp(8));
    const old = new PythonGlobal("torch._utils", "_rebuild_tensor");
    return dict({ weight: new PythonCall(old, new PythonTuple(...args.items.slice(0, 4))) });
  });
  expect(await (await open(bytes)).read("weight")).toEqual(ramp(8));
});

const plain = () => save((file) => dict({ weight: file.tensor("float32", [2], ramp(8)) }));

test("a file that is cut short is refused", async () => {
  const bytes = await plain();
  await expectDamaged(
    open(bytes.subarray(0, -1)),
    `m.pth: storage "0": want a file of ${bytes.length} bytes or more, got ${bytes.length - 1}`,
  );
  await expectDamaged(open(bytes.subarray(0, -20)), "m.pth");
});

test("another number of elements, version or byte order is refused", async () => {
  const count = await plain();
  count[count.length - 16] = 3;
  await expectDamaged(open(count), 'storage "0": want 2 elements, got 3');
  const version = await plain();
  version[Buffer.from(version).indexOf("M\xe9\x03", 0, "latin1") + 1] = 0xea;
  await expectDamaged(open(version), "version: want 1001, got 1002");
  const order = await plain();
  order[order.indexOf(0x88)] = 0x89;
  await expectDamaged(open(order), "byte order: want little_endian");
});

test("a storage of a type that is not read hides only what is behind it", async () => {
  const make = (weightFirst: boolean) =>
    save((file) => {
      const weight = () => ["weight", file.tensor("float32", [2], ramp(8))] as const;
      const first = weightFirst ? [weight()] : [];
      const complex = file.tensor("float64", [1], ramp(8));
      const { items } = (complex.args.items[0] as PersistentId).id;
      const id = new PersistentId(
        new PythonTuple(
          items[0]!,
          new PythonGlobal("torch", "ComplexFloatStorage"),
          ...items.slice(2),
        ),
      );
      const other = new PythonCall(
        complex.callee,
        new PythonTuple(id, ...complex.args.items.slice(1)),
      );
      return new Map<PythonValue, PythonValue>([
        ...first,
        ["other", other],
        ...(weightFirst ? [] : [weight()]),
      ]);
    });
  const source = await open(await make(true));
  expect(await source.read("weight")).toEqual(ramp(8));
  expect(source.unread?.get("other")).toContain("torch.ComplexFloatStorage");
  await expectDamaged(open(await make(false)), 'tensor "weight"', "none that can be found");
});
