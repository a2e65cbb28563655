import { bytesPerElement, elementCount, type DType } from "@tinygptv/model";
import type { Chunks } from "./chunks.ts";
import type { PythonValue } from "./pickler.ts";
import {
  PersistentId,
  PythonCall,
  PythonGlobal,
  PythonTuple,
  orderedDict,
  pickle,
} from "./pickler.ts";
import type { ZipInput } from "./zipFile.ts";
import { zipFile } from "./zipFile.ts";

/** The memory that one or more tensors are views of. */
export interface TorchStorageInput {
  readonly dtype: DType;
  /** Number of elements. */
  readonly numel: number;
  /** Little-endian bytes; called once, when its turn in the file has come. */
  readonly data: () => Chunks;
}

/** How a torch file is written. */
export interface TorchFileOptions {
  /** Folder in the archive; torch.save takes it from the file's name. */
  readonly archive?: string;
  /** Device the storages claim to come from. */
  readonly location?: string;
  readonly protocol?: 2 | 4;
}

/** Collects storages while a value is put together, and then writes both as torch.save would. */
export class TorchFile {
  protected readonly storages: TorchStorageInput[] = [];
  readonly #ids = new Map<TorchStorageInput, PersistentId>();
  readonly #options: Required<TorchFileOptions>;

  constructor(options: TorchFileOptions = {}) {
    this.#options = { archive: "archive", location: "cpu", protocol: 2, ...options };
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

  /** The bytes of the file with this value. Every storage is written, used in the value or not. */
  chunks(value: PythonValue): AsyncGenerator<Uint8Array> {
    const { archive, protocol } = this.#options;
    const entries: ZipInput[] = [
      entry(`${archive}/data.pkl`, pickle(value, protocol)),
      entry(`${archive}/byteorder`, Buffer.from("little")),
      ...this.storages.map(({ dtype, numel, data }, key) => ({
        name: `${archive}/data/${key}`,
        size: numel * bytesPerElement[dtype],
        data,
      })),
      entry(`${archive}/version`, Buffer.from("3\n")),
    ];
    return zipFile(entries);
  }

  #persistentId(storage: TorchStorageInput): PersistentId {
    let id = this.#ids.get(storage);
    if (!id) {
      const key = String(this.storages.push(storage) - 1);
      id = new PersistentId(new PythonTuple(...this.storageFields(storage, key)));
      this.#ids.set(storage, id);
    }
    return id;
  }

  /** What the pickle says of a storage. */
  protected storageFields({ dtype, numel }: TorchStorageInput, key: string): PythonValue[] {
    return ["storage", storageClasses[dtype], key, this.#options.location, numel];
  }
}

const rebuildTensor = new PythonGlobal("torch._utils", "_rebuild_tensor_v2");

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
