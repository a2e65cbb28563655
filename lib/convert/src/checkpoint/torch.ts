import { bytesPerElement } from "@tinygptv/model";
import type { ByteSource } from "./byteSource.ts";
import { unpickle } from "./pickle.ts";
import { findStateDict, type StateDict } from "./stateDict.ts";
import { readStrided, viewProblem } from "./strided.ts";
import { torchNames, type TorchStorage, type TorchTensor } from "./torchNames.ts";
import { damaged, quote } from "./untrusted.ts";
import type { TensorInfo, WeightSource } from "./weightSource.ts";
import { requireRows, requireTensor } from "./weightSource.ts";
import type { ZipArchive } from "./zip.ts";
import { openZip } from "./zip.ts";

// A thousand tensors need 0.1 MB.
export const maxPickleBytes = 32 << 20;

/** The bytes of a file's storages, however they are packed. */
export interface StorageBytes {
  /** Throws `checkpoint` where the file does not hold what the pickle says of a storage. `what` it is for. */
  require(storage: TorchStorage, what: string): void;
  read(storage: TorchStorage, offset: number, length: number): Promise<Uint8Array>;
}

interface StoredTensor extends TensorInfo {
  readonly view: TorchTensor;
}

/**
 * The tensors of an open torch.save file (`.pth`, `.bin`): those of a state dict,
 * or of one under the names savers use. The file is a zip archive with one
 * pickle, which describes the values, and an entry for the bytes of each
 * storage. Only the zip directory and the pickle are read; what else was saved
 * (optimizer, configuration, loss scaler) is skipped. Closing it closes `source`.
 */
export async function readTorch(source: ByteSource): Promise<WeightSource> {
  const file = source.name;
  const zip = await openZip(source);
  const pickleName = findPickle(file, zip);
  const folder = pickleName.slice(0, -"data.pkl".length);
  await requireLittleEndian(file, zip, `${folder}byteorder`);
  const root = unpickle(file, pickleName, await zip.read(pickleName), torchNames);
  const entryOf = ({ key }: TorchStorage) => `${folder}data/${key}`;
  return tensorsOf(source, findStateDict(file, root), {
    require(storage, what) {
      const want = storage.numel * bytesPerElement[storage.dtype];
      const got = zip.sizes.get(entryOf(storage));
      if (got === want) return;
      throw damaged(
        file,
        `${what}: want ${want} bytes of ${storage.dtype} in ${quote(entryOf(storage))}, got ${got ?? "no such entry"}`,
      );
    },
    read: (storage, offset, length) => zip.read(entryOf(storage), offset, length),
  });
}

/** A state dict as a source of weights, each tensor held against the storage it is a view of. */
export function tensorsOf(
  source: ByteSource,
  { tensors: views, unread }: StateDict,
  storages: StorageBytes,
): WeightSource {
  const file = source.name;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, view] of views) {
    const what = `tensor ${quote(name)}`;
    storages.require(view.storage, what);
    const problem = viewProblem(view, view.storage.numel);
    if (problem) throw damaged(file, `${what}: ${problem}`);
    tensors.set(name, { name, dtype: view.storage.dtype, shape: view.shape, file, view });
  }
  return {
    path: file,
    tensors,
    unread,
    async read(name, rows) {
      const tensor = requireTensor(file, tensors, name);
      const { storage } = tensor.view;
      const view = rows ? selectRows(tensor, requireRows(tensor, rows)) : tensor.view;
      return readStrided(view, bytesPerElement[storage.dtype], (offset, length) =>
        storages.read(storage, offset, length),
      );
    },
    close: () => source.close(),
  };
}

function findPickle(file: string, zip: ZipArchive): string {
  const names = [...zip.sizes.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (names.length !== 1) {
    throw damaged(
      file,
      `want one entry NAME/data.pkl, as torch.save writes it, got ${names.length}`,
    );
  }
  const [name] = names as [string];
  const size = zip.sizes.get(name)!;
  if (size > maxPickleBytes) {
    throw damaged(file, `${name}: want at most ${maxPickleBytes} bytes, got ${size}`);
  }
  return name;
}

/** Files without the entry are older than it and were written on little-endian machines. */
async function requireLittleEndian(file: string, zip: ZipArchive, entry: string): Promise<void> {
  if (!zip.sizes.has(entry)) return;
  const order = Buffer.from(await zip.read(entry, 0, Math.min(zip.sizes.get(entry)!, 16))).toString(
    "latin1",
  );
  if (order !== "little") throw damaged(file, `byte order: want "little", got ${quote(order)}`);
}

function selectRows({ view }: StoredTensor, rows: { start: number; end: number }) {
  return {
    shape: [rows.end - rows.start, ...view.shape.slice(1)],
    strides: view.strides,
    offset: view.offset + rows.start * view.strides[0]!,
  };
}
