import { writeFile } from "node:fs/promises";
import { bytesPerElement } from "../../../lib/model/src/tensor/dtype.ts";
import { sized, type TensorInput } from "../../../lib/convert/src/checkpoint/writing/chunks.ts";
import {
  orderedDict,
  pickle,
  PythonCall,
  PythonGlobal,
  PythonTuple,
  type PythonValue,
} from "../../../lib/convert/src/checkpoint/writing/pickler.ts";
import {
  TorchFile,
  type TorchFileOptions,
  type TorchStorageInput,
} from "../../../lib/convert/src/checkpoint/writing/torchFile.ts";

export interface PublishedFileOptions extends TorchFileOptions {
  /** As PyTorch before 1.6 wrote it, instead of a zip archive. */
  readonly legacy?: boolean;
}

/** Files that others write: with parameters among the tensors, and in the older container. */
export class PublishedFile extends TorchFile {
  readonly #legacy: boolean;
  readonly #protocol: 2 | 4;

  constructor({ legacy = false, ...options }: PublishedFileOptions = {}) {
    super(options);
    this.#legacy = legacy;
    this.#protocol = options.protocol ?? 2;
  }

  /** A tensor as a trainable parameter. */
  parameter(tensor: PythonCall): PythonCall {
    return new PythonCall(rebuildParameter, new PythonTuple(tensor, true, orderedDict(new Map())));
  }

  override chunks(value: PythonValue): AsyncGenerator<Uint8Array> {
    return this.#legacy ? this.#legacyChunks(value) : super.chunks(value);
  }

  protected override storageFields(storage: TorchStorageInput, key: string): PythonValue[] {
    const fields = super.storageFields(storage, key);
    return this.#legacy ? [...fields, null] : fields;
  }

  /** torch/serialization.py, `_legacy_save`. */
  async *#legacyChunks(value: PythonValue): AsyncGenerator<Uint8Array> {
    const machine = new Map<PythonValue, PythonValue>([
      ["protocol_version", 1001],
      ["little_endian", true],
      ["type_sizes", new Map(Object.entries({ short: 2, int: 4, long: 4 }))],
    ]);
    yield Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");
    const keys = this.storages.map((_, key) => String(key));
    for (const each of [1001, machine, value, keys]) yield pickle(each, this.#protocol);
    for (const { dtype, numel, data } of this.storages) {
      const count = Buffer.alloc(8);
      count.writeBigUInt64LE(BigInt(numel));
      yield count;
      yield* sized("storage", numel * bytesPerElement[dtype], data());
    }
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
  options: PublishedFileOptions & WriteTorchOptions = {},
): Promise<void> {
  const { under, besides = {}, ...fileOptions } = options;
  const file = new PublishedFile(fileOptions);
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

const rebuildParameter = new PythonGlobal("torch._utils", "_rebuild_parameter");
