import { bytesPerElement } from "@tinygptv/model";
import type { ByteSource } from "./byteSource.ts";
import { unpickle } from "./pickle.ts";
import { readStrided, viewProblem } from "./strided.ts";
import { TorchTensor, torchNames } from "./torchNames.ts";
import { damaged, describe, quote } from "./untrusted.ts";
import type { TensorInfo, WeightSource } from "./weightSource.ts";
import { requireRows, requireTensor } from "./weightSource.ts";
import type { ZipArchive } from "./zip.ts";
import { openZip } from "./zip.ts";

// A thousand tensors need 0.1 MB.
const maxPickleBytes = 32 << 20;

/** Where savers put the state dict when they save more than it. */
const stateDictKeys = ["model", "state_dict"];

interface StoredTensor extends TensorInfo {
  readonly view: TorchTensor;
  /** Name of the zip entry with the bytes of its storage. */
  readonly entry: string;
}

/**
 * The tensors of an open torch.save file (`.pth`, `.bin`): those of a state dict,
 * or of one under "model" or "state_dict". The file is a zip archive with one
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
  const stateDict = findStateDict(file, root);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of stateDict) {
    if (typeof name !== "string")
      throw damaged(file, `state dict: want names as keys, got ${describe(name)}`);
    // A state dict may also hold a module's own extra values; they are no weights.
    if (value instanceof TorchTensor) tensors.set(name, locate(file, zip, folder, name, value));
  }

  return {
    path: file,
    tensors,
    async read(name, rows) {
      const tensor = requireTensor(file, tensors, name);
      const view = rows ? selectRows(tensor, requireRows(tensor, rows)) : tensor.view;
      return readStrided(view, bytesPerElement[tensor.dtype], (offset, length) =>
        zip.read(tensor.entry, offset, length),
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

function findStateDict(file: string, root: unknown): ReadonlyMap<unknown, unknown> {
  const candidates =
    root instanceof Map ? [...stateDictKeys.map((key) => root.get(key)), root] : [];
  for (const candidate of candidates) {
    const isStateDict =
      candidate instanceof Map &&
      [...candidate.values()].some((value) => value instanceof TorchTensor);
    if (isStateDict) return candidate;
  }
  const found =
    root instanceof Map
      ? `a dictionary with the keys ${describe([...root.keys()])}`
      : describe(root);
  throw damaged(
    file,
    `want a dictionary of tensors, or one under ${stateDictKeys.join(" or ")}, got ${found}`,
  );
}

/** Holds a view against the storage it is of. */
function locate(
  file: string,
  zip: ZipArchive,
  folder: string,
  name: string,
  view: TorchTensor,
): StoredTensor {
  const what = `tensor ${quote(name)}`;
  const { dtype, key, numel } = view.storage;
  const entry = `${folder}data/${key}`;
  const want = numel * bytesPerElement[dtype];
  const got = zip.sizes.get(entry);
  if (got !== want) {
    throw damaged(
      file,
      `${what}: want ${want} bytes of ${dtype} in ${quote(entry)}, got ${got ?? "no such entry"}`,
    );
  }
  const problem = viewProblem(view, numel);
  if (problem) throw damaged(file, `${what}: ${problem}`);
  return { name, dtype, shape: view.shape, file, view, entry };
}

function selectRows({ view }: StoredTensor, rows: { start: number; end: number }) {
  return {
    shape: [rows.end - rows.start, ...view.shape.slice(1)],
    strides: view.strides,
    offset: view.offset + rows.start * view.strides[0]!,
  };
}
