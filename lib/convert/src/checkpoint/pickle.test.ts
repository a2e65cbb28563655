import { expect, test } from "vitest";
import type { PythonValue } from "./writing/pickler.ts";
import {
  PersistentId,
  PythonCall,
  PythonGlobal,
  PythonTuple,
  orderedDict,
  pickle,
} from "./writing/pickler.ts";
import { TinyGptvError } from "@tinygptv/protocol";
import { besideWeights } from "../../../../test/support/checkpoint/besideWeights.ts";
import { unpickle } from "./pickle.ts";
import { TorchStorage, TorchTensor, torchNames } from "./torchNames.ts";
import { Unread } from "./untrusted.ts";

const load = (bytes: Uint8Array) => unpickle("m.pth", "data.pkl", bytes, torchNames);

/** A pickle of protocol 2 out of bytes and text, with STOP at its end. */
const program = (...pieces: (string | readonly number[])[]) =>
  Buffer.concat([
    Buffer.from([0x80, 2]),
    ...pieces.map((piece) =>
      typeof piece === "string" ? Buffer.from(piece, "latin1") : Buffer.from(piece),
    ),
    Buffer.from("."),
  ]);

const tuple = (...items: PythonValue[]) => new PythonTuple(...items);
const storageId = (type = "FloatStorage", numel: PythonValue = 12) =>
  tuple("storage", new PythonGlobal("torch", type), "0", "cuda:0", numel);
const tensor = (...args: PythonValue[]) =>
  new PythonCall(new PythonGlobal("torch._utils", "_rebuild_tensor_v2"), tuple(...args));
const plainTensor = () =>
  tensor(new PersistentId(storageId()), 2, tuple(5, 2), tuple(2, 1), false, orderedDict(new Map()));

test.each([2, 4] as const)("loads plain data of protocol %i", (protocol) => {
  const shared: PythonValue = ["x", "x"];
  const value = new Map<PythonValue, PythonValue>([
    ["lr", 1e-4],
    ["betas", tuple(0.9, 0.999)],
    ["steps", [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31, -(2 ** 53) + 1]],
    ["flags", tuple(true, false, null)],
    ["tuples", tuple(tuple(), tuple(1), tuple(1, 2, 3), tuple(1, 2, 3, 4))],
    ["twice", [shared, shared]],
    [0, new Map()],
    ["text", "ü\u{1f600}".repeat(200)],
    ...Array.from({ length: 300 }, (_, i): [PythonValue, PythonValue] => [`many.${i}`, i]),
  ]);
  expect(load(pickle(value, protocol))).toEqual(
    new Map<unknown, unknown>([
      ["lr", 1e-4],
      ["betas", [0.9, 0.999]],
      ["steps", [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31, -(2 ** 53) + 1]],
      ["flags", [true, false, null]],
      ["tuples", [[], [1], [1, 2, 3], [1, 2, 3, 4]]],
      ["twice", [shared, shared]],
      [0, new Map()],
      ["text", "ü\u{1f600}".repeat(200)],
      ...Array.from({ length: 300 }, (_, i): [unknown, unknown] => [`many.${i}`, i]),
    ]),
  );
});

test("integers beyond 2^53 keep their value", () => {
  expect(load(program([0x8a, 0]))).toBe(0);
  expect(load(program([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x80]))).toBe(-(2n ** 63n));
  expect(load(program([0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0]))).toBe(2n ** 63n);
});

test.each([2, 4] as const)(
  "rebuilds tensors, parameters and dictionaries with attributes of protocol %i",
  (protocol) => {
    const parameter = new PythonCall(
      new PythonGlobal("torch._utils", "_rebuild_parameter"),
      tuple(plainTensor(), true, orderedDict(new Map())),
    );
    const withState = new PythonCall(
      new PythonGlobal("torch._utils", "_rebuild_parameter_with_state"),
      tuple(plainTensor(), true, orderedDict(new Map()), new Map([["note", 1]])),
    );
    const withAttributes = (type: PythonGlobal) =>
      new PythonCall(
        new PythonGlobal("torch._tensor", "_rebuild_from_type_v2"),
        tuple(plainTensor().callee, type, plainTensor().args, new Map([["note", 1]])),
      );
    const metadata = new Map<PythonValue, PythonValue>([
      ["_metadata", orderedDict(new Map([["", new Map([["version", 1]])]]))],
    ]);
    const value = orderedDict(
      new Map([
        ["a", plainTensor()],
        ["b", parameter],
        ["c", withState],
        ["d", withAttributes(new PythonGlobal("torch", "Tensor"))],
        ["e", withAttributes(new PythonGlobal("torchao", "Quantized"))],
      ]),
      metadata,
    );
    const wanted = new TorchTensor(new TorchStorage("float32", "0", 12), 2, [5, 2], [2, 1]);
    expect(load(pickle(value, protocol))).toEqual(
      new Map<string, unknown>([
        ["a", wanted],
        ["b", wanted],
        ["c", wanted],
        ["d", wanted],
        ["e", new Unread("torchao.Quantized")],
      ]),
    );
  },
);

test.each([
  ["Double", "float64"],
  ["Float", "float32"],
  ["Half", "float16"],
  ["BFloat16", "bfloat16"],
  ["Long", "int64"],
  ["Int", "int32"],
  ["Short", "int16"],
  ["Char", "int8"],
  ["Byte", "uint8"],
  ["Bool", "bool"],
])("knows torch.%sStorage", (name, dtype) => {
  expect(load(pickle(new PersistentId(storageId(`${name}Storage`))))).toEqual(
    new TorchStorage(dtype as "int8", "0", 12),
  );
});

test.each([
  ["os", "system"],
  ["builtins", "eval"],
  ["__builtin__", "getattr"],
  ["posix", "system"],
  ["torch.storage", "_load_from_bytes"],
  ["torch", "load"],
  ["torch._utils", "_rebuild_qtensor"],
  ["torch", "ComplexFloatStorage"],
  ["collections", "defaultdict"],
  ["collections", "OrderedDict.__init__"],
  ["numpy.core.multiarray", "_reconstruct"],
  ["Object", "constructor"],
  ["", "__proto__"],
])("neither looks up nor runs %s.%s, nor what is made of it", (module, name) => {
  for (const protocol of [2, 4] as const) {
    const callee = new PythonGlobal(module, name);
    const items = new Map<PythonValue, PythonValue>([["a", 1]]);
    const value = new PythonCall(callee, tuple("echo pwned"), items, items);
    expect(load(pickle(value, protocol))).toEqual(new Unread(`${module}.${name}`));
    expect(load(pickle(callee, protocol))).toEqual(new Unread(`${module}.${name}`));
  }
});

test.each(Object.entries(besideWeights))("skips %s, and reads on", (_, pickles) => {
  for (const base64 of pickles) {
    // The value itself, without PROTO (and FRAME) before it and STOP behind.
    const bytes = Buffer.from(base64, "base64");
    const body = bytes.subarray(bytes[2] === 0x95 ? 11 : 2, -1);
    const value = load(
      program("}", "X\u0004\0\0\0args", [...body], "s", "X\u0001\0\0\0x", "K\u0007s"),
    );
    expect(value).toBeInstanceOf(Map);
    expect((value as Map<unknown, unknown>).get("x")).toBe(7);
  }
});

test("a weight of another kind of storage is not read, nor is a whole module", () => {
  const complex = new PersistentId(storageId("ComplexFloatStorage"));
  expect(load(pickle(tensor(complex, 0, tuple(2), tuple(1), false, hooks)))).toEqual(
    new Unread("torch.ComplexFloatStorage"),
  );
  const module = tuple("module", new PythonGlobal("model", "Net"), "net.py", "class Net: ...", 0);
  expect(load(pickle(new PersistentId(module)))).toEqual(new Unread("model.Net"));
});

test("reads what Python 2 wrote: its strings, and dictionaries of a list of pairs", () => {
  expect(
    load(program("ccollections\nOrderedDict\n", "](](U\u0001aK\u0001ee", [0x85], "R")),
  ).toEqual(new Map([["a", 1]]));
  expect(load(program("U\u0002\u00ff\u00fe"))).toEqual(new Unread("bytes"));
});

test.each([
  ["nothing", Buffer.alloc(0), "cut short"],
  ["no protocol", Buffer.from("N."), "want a pickle of protocol 2 or later"],
  ["protocol 1", Buffer.from([0x80, 1, 0x4e, 0x2e]), "want protocol 2 to 5, got 1"],
  ["protocol 6", Buffer.from([0x80, 6, 0x4e, 0x2e]), "want protocol 2 to 5, got 6"],
  ["no value", program(), "the stack is empty"],
  ["two values", program("NN"), "want one value, got more"],
  ["an open mark", program("N(N"), "want one value, got more"],
  [
    "bytes after it",
    Buffer.concat([program("N"), Buffer.from("N")]),
    "want nothing after the pickle, got 1 bytes",
  ],
  ["INST", program("(ios\nsystem\n"), "opcode 0x69"],
  ["OBJ", program("(o"), "opcode 0x6f"],
  ["NEWOBJ of nothing", program([0x81]), "the stack is empty"],
  ["an extension code", program([0x82, 1]), "opcode 0x82"],
  ["a string of Python 2 beyond the end", program("U\u0005a"), "cut short"],
  ["an integer beyond the end", program([0x8b, 255, 0, 0, 0, 1]), "cut short"],
  ["bytes beyond the end", program("B\u00ff\u0000\u0000\u0000abc"), "cut short"],
  ["items of no set", program("](N", [0x90]), "want a set to add items to"],
  ["a mark that is not there", program("t"), "no mark on the stack"],
  ["a memo that is not there", program("h\u0005"), "no remembered value 5"],
  ["a memo of nothing", program("q\u0000"), "the stack is empty"],
  ["appending to a tuple", program(")Na"), "want a list to append to"],
  ["appending to a dict", program("}Na"), "want a list to append to"],
  ["items of a list", program("]NNs"), "want a dict to put items into"],
  ["a key without value", program("}(Nu"), "want a value for every key"],
  ["a key twice", program("}(K\u0001NK\u0001Nu"), "key 1 occurs twice"],
  ["attributes of a list", program("]}b"), "want a dict to set attributes of"],
  ["a call of data", program("})R"), "want a function to call"],
  ["a call of a storage type", program("ctorch\nFloatStorage\n)R"), "want a function to call"],
  ["a call with no tuple", program("ccollections\nOrderedDict\nNR"), "want a tuple of arguments"],
  [
    "a dict with arguments",
    program("ccollections\nOrderedDict\n(K\u0001tR"),
    "want nothing or a list of pairs",
  ],
  ["a name of numbers", program("NN", [0x93]), "want a name of strings"],
  ["a name without end", program("cos"), "want a newline"],
  ["a name that is no text", program([0x63, 0xff, 0x0a, 0x0a]), "want UTF-8"],
  [
    "a string beyond the end",
    program("X\u00ff\u0000\u0000\u0000abc"),
    "cut short: want 255 more bytes",
  ],
  ["a string of 2 GB", program("X\u0000\u0000\u0000\u0080abc"), "want strings of at most"],
  ["a string of 2^63 bytes", program([0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80]), "want strings of at most"],
  [
    "a frame beyond the end",
    program([0x95, 255, 0, 0, 0, 0, 0, 0, 0]),
    "want a frame of 255 bytes",
  ],
  ["an id that is no tuple", program("NQ"), "persistent id: want"],
])("refuses %s", (_, bytes, problem) => {
  expect(() => load(bytes)).toThrow(TinyGptvError);
  expect(() => load(bytes)).toThrow(`m.pth: data.pkl: `);
  expect(() => load(bytes)).toThrow(problem);
});

const storage = new PersistentId(storageId());
const hooks = orderedDict(new Map());

test.each<[string, PythonValue, string]>([
  [
    "a storage size that is no number",
    new PersistentId(storageId("FloatStorage", "12")),
    "storage size",
  ],
  ["a negative storage size", new PersistentId(storageId("FloatStorage", -1)), "storage size"],
  [
    "a storage of no type",
    new PersistentId(tuple("storage", "FloatStorage", "0", "cpu", 1)),
    "persistent id",
  ],
  ["another kind of id", new PersistentId(tuple("module", 1, 2, 3, 4)), "persistent id"],
  [
    "a tensor without storage",
    tensor(null, 0, tuple(), tuple(), false, hooks),
    "storage: want one, got null",
  ],
  ["a negative offset", tensor(storage, -1, tuple(), tuple(), false, hooks), "storage_offset"],
  [
    "a fractional size",
    tensor(storage, 0, tuple(1.5), tuple(1), false, hooks),
    "size: want sizes, got [1.5]",
  ],
  [
    "a negative stride",
    tensor(storage, 0, tuple(2), tuple(-1), false, hooks),
    "stride: want 1 of them, got [-1]",
  ],
  [
    "strides of another rank",
    tensor(storage, 0, tuple(2, 2), tuple(1), false, hooks),
    "stride: want 2 of them",
  ],
  [
    "a negated view",
    tensor(storage, 0, tuple(2), tuple(1), false, hooks, new Map([["neg", true]])),
    "metadata",
  ],
  ["a tensor of two arguments", tensor(storage, 0), "want 6 or 7 arguments, got 2"],
  [
    "a parameter of something else",
    new PythonCall(new PythonGlobal("torch._utils", "_rebuild_parameter"), tuple(1, true, hooks)),
    "data: want a tensor, got 1",
  ],
])("refuses %s", (_, value, problem) => {
  expect(() => load(pickle(value))).toThrow(problem);
});

test.each([
  ["nesting", program("(".repeat(1000)), "at most 256 levels of nesting"],
  ["values on the stack", program("N".repeat(1_100_000)), "at most 1048576 values on the stack"],
  ["objects", program("]", "}a".repeat(1_100_000)), "at most 1048576 objects"],
  [
    "remembered values",
    program("N", Array(1_100_000).fill(0x94)),
    "at most 1048576 remembered values",
  ],
])("stops at too many %s", (_, bytes, problem) => {
  expect(() => load(bytes)).toThrow(problem);
});

test("values that refer to each other are not copied out", () => {
  // Each list holds the one before it ten times: 10^100 values, were they walked.
  const first = ["]", [0x71, 0]] as const;
  const levels = Array.from({ length: 100 }, (_, i) => {
    const tenTimes = Array.from({ length: 10 }, () => [0x68, i]).flat();
    return ["]", [0x71, i + 1], "(", tenTimes, "e"] as const;
  });
  expect(load(program("(", ...first, ...levels.flat(), "t"))).toHaveLength(101);
});
