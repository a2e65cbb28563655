import { writeFile } from "node:fs/promises";
import type { DType } from "../../../lib/model/src/tensor/dtype.ts";
import { bytesPerElement, elementCount } from "../../../lib/model/src/tensor/dtype.ts";
import { sized, type Chunks, type TensorInput } from "./chunks.ts";
import type { PythonValue } from "./pickler.ts";
import {
  PersistentId,
  PythonCall,
  PythonGlobal,
  PythonTuple,
  orderedDict,
  pickle,
} from "./pickler.ts";
import type { ZipInput } from "./zipWriter.ts";
import { zipFile } from "./zipWriter.ts";

/** The memory that one or more tensors are views of. */
export interface TorchStorageInput {
  readonly dtype: DType;
  /** Number of elements. */
  readonly numel: number;
  /** Little-endian bytes; called once, when its turn in the file has come. */
  readonly data: () => Chunks;
}

export interface TorchFileOptions {
  /** Folder in the archive; torch.save takes it from the file's name. */
  readonly archive?: string;
  /** Device the storages claim to come from. */
  readonly location?: string;
  readonly protocol?: 2 | 4;
  /** As PyTorch before 1.6 wrote it, instead of a zip archive. */
  readonly legacy?: boolean;
}

/** Collects storages while a value is put together, and then writes both as torch.save would. */
export class TorchFile {
  readonly #storages: TorchStorageInput[] = [];
  readonly #ids = new Map<TorchStorageInput, PersistentId>();
  readonly #options: Required<TorchFileOptions>;

  constructor(options: TorchFileOptions = {}) {
    this.#options = { archive: "archive", location: "cpu", protocol: 2, legacy: false, ...options };
  }

  /** A view of a storage, in elements; a storage may be used for several. */
  view(
    storage: TorchStorageInput,
    shape: readonly number[],
    strides: readonly number[] = rowMajor(shape),
    offset = 0,
  ): PythonCall {
    const args = new PythonTuple(
      this.#persistentId(storage),
      offset,
      new PythonTuple(...shape),
      new PythonTuple(...strides),
      false,
      orderedDict(new Map()),
    );
    return new PythonCall(rebuildTensor, args);
  }

  /** A dense tensor with a storage of its own. */
  tensor(dtype: DType, shape: readonly number[], data: Uint8Array | (() => Chunks)): PythonCall {
    const bytes = typeof data === "function" ? data : () => [data];
    return this.view({ dtype, numel: elementCount(shape), data: bytes }, shape);
  }

  /** A tensor as a trainable parameter. */
  parameter(tensor: PythonCall): PythonCall {
    return new PythonCall(rebuildParameter, new PythonTuple(tensor, true, orderedDict(new Map())));
  }

  /** The bytes of the file with this value. Every storage is written, used in the value or not. */
  chunks(value: PythonValue): AsyncGenerator<Uint8Array> {
    const { archive, protocol, legacy } = this.#options;
    if (legacy) return this.#legacyChunks(value);
    const entries: ZipInput[] = [
      entry(`${archive}/data.pkl`, pickle(value, protocol)),
      entry(`${archive}/byteorder`, Buffer.from("little")),
      ...this.#storages.map(({ dtype, numel, data }, key) => ({
        name: `${archive}/data/${key}`,
        size: numel * bytesPerElement[dtype],
        data,
      })),
      entry(`${archive}/version`, Buffer.from("3\n")),
    ];
    return zipFile(entries);
  }

  /** torch/serialization.py, `_legacy_save`. */
  async *#legacyChunks(value: PythonValue): AsyncGenerator<Uint8Array> {
    const machine = new Map<PythonValue, PythonValue>([
      ["protocol_version", 1001],
      ["little_endian", true],
      ["type_sizes", new Map(Object.entries({ short: 2, int: 4, long: 4 }))],
    ]);
    yield Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");
    const keys = this.#storages.map((_, key) => String(key));
    for (const each of [1001, machine, value, keys]) yield pickle(each, this.#options.protocol);
    for (const { dtype, numel, data } of this.#storages) {
      const count = Buffer.alloc(8);
      count.writeBigUInt64LE(BigInt(numel));
      yield count;
      yield* sized("storage", numel * bytesPerElement[dtype], data());
    }
  }

  #persistentId(storage: TorchStorageInput): PersistentId {
    let id = this.#ids.get(storage);
    if (!id) {
      const key = String(this.#storages.push(storage) - 1);
      const type = storageClasses[storage.dtype];
      const { location, legacy } = this.#options;
      const fields = ["storage", type, key, location, storage.numel];
      id = new PersistentId(new PythonTuple(...fields, ...(legacy ? [null] : [])));
      this.#ids.set(storage, id);
    }
    return id;
  }
}

interface WriteTorchOptions {
  readonly under?: string;
  /** Entries of the state dict that are no tensors. */
  readonly besides?: Readonly<Record<string, PythonValue>>;
}

/**
 * Writes a state dict of dense tensors as torch.save would, piece by piece: a
 * file far larger than memory is fine, and nothing is kept.
 *
 * @param under the key to put the state dict under, as in `{"model": ...}`; flat without
 */
export async function writeTorchZip(
  path: string,
  tensors: Iterable<readonly [string, TensorInput]>,
  options: TorchFileOptions & WriteTorchOptions = {},
): Promise<void> {
  const { under, besides = {}, ...fileOptions } = options;
  const file = new TorchFile(fileOptions);
  const items = Array.from(
    tensors,
    ([name, { dtype, shape, data }]) => [name, file.tensor(dtype, shape, data)] as const,
  );
  const stateDict = orderedDict(
    new Map<PythonValue, PythonValue>([...items, ...Object.entries(besides)]),
  );
  await writeFile(
    path,
    file.chunks(under === undefined ? stateDict : new Map([[under, stateDict]])),
  );
}

const rebuildTensor = new PythonGlobal("torch._utils", "_rebuild_tensor_v2");
const rebuildParameter = new PythonGlobal("torch._utils", "_rebuild_parameter");

const storageClasses: Record<DType, PythonGlobal> = {
  float64: new PythonGlobal("torch", "DoubleStorage"),
  float32: new PythonGlobal("torch", "FloatStorage"),
  float16: new PythonGlobal("torch", "HalfStorage"),
  bfloat16: new PythonGlobal("torch", "BFloat16Storage"),
  int64: new PythonGlobal("torch", "LongStorage"),
  int32: new PythonGlobal("torch", "IntStorage"),
  int16: new PythonGlobal("torch", "ShortStorage"),
  int8: new PythonGlobal("torch", "CharStorage"),
  uint8: new PythonGlobal("torch", "ByteStorage"),
  bool: new PythonGlobal("torch", "BoolStorage"),
};

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

function entry(name: string, bytes: Uint8Array): ZipInput {
  return { name, size: bytes.length, data: () => [bytes] };
}
