import { bytesPerElement } from "@tinygptv/model";
import type { ByteSource } from "./byteSource.ts";
import { Cursor } from "./cursor.ts";
import { unpickleNext } from "./pickle.ts";
import type { PickleNames } from "./pickleMachine.ts";
import { findStateDict } from "./stateDict.ts";
import { maxPickleBytes, tensorsOf } from "./torch.ts";
import { torchNames, TorchStorage } from "./torchNames.ts";
import { damaged, describe, quote } from "./untrusted.ts";
import type { WeightSource } from "./weightSource.ts";

// A model has a thousand; each costs a read.
const maxStorages = 1 << 16;
const protocolVersion = 1001;
/** Before each storage: its number of elements. */
const countBytes = 8;

/**
 * The tensors of an open file as torch.save wrote it before PyTorch 1.6, and
 * still does when asked (torch/serialization.py, `_legacy_save`): five pickles
 * (a magic number, a version, the machine's byte order, the values, the keys of
 * the storages), and then the storages in the order of their keys, each behind
 * its number of elements. Only the pickles and those numbers are read.
 */
export async function readLegacyTorch(source: ByteSource): Promise<WeightSource> {
  const file = source.name;
  const { root, keys, named, end } = await readPickles(source);
  const starts = await locateStorages(source, end, keys, named);
  return tensorsOf(source, findStateDict(file, root), {
    require({ key, dtype, numel }, what) {
      // A key that is named twice must mean the same storage.
      const { dtype: firstDtype, numel: firstNumel } = named.get(key)!;
      if (starts.has(key) && dtype === firstDtype && numel === firstNumel) return;
      throw damaged(
        file,
        `${what}: want ${numel} elements of ${dtype} in storage ${quote(key)}, got ${starts.has(key) ? `${firstNumel} of ${firstDtype}` : "none that can be found"}`,
      );
    },
    read: ({ key }, offset, length) => source.read(starts.get(key)! + offset, length),
  });
}

async function readPickles(source: ByteSource) {
  const file = source.name;
  const head = await source.read(0, Math.min(source.size, maxPickleBytes));
  const cursor = new Cursor(file, "pickles", head);
  const named = new Map<string, TorchStorage>();
  const names = remembering(named);
  const next = () => unpickleNext(cursor, names);

  next(); // the magic number, by which the file was recognised
  const version = next();
  if (version !== protocolVersion)
    throw damaged(file, `version: want ${protocolVersion}, got ${describe(version)}`);
  const machine = next();
  if (!(machine instanceof Map) || machine.get("little_endian") !== true)
    throw damaged(file, `byte order: want little_endian, got ${describe(machine)}`);
  return { root: next(), keys: next(), named, end: cursor.position };
}

/** The table of names, with every storage it makes kept under its key. */
function remembering(named: Map<string, TorchStorage>): PickleNames {
  return {
    globals: torchNames.globals,
    persistent(id, error) {
      const object = torchNames.persistent(id, error);
      if (object instanceof TorchStorage && !named.has(object.key)) named.set(object.key, object);
      return object;
    },
  };
}

/**
 * Where the bytes of each storage begin. One of a type that is not read hides
 * those behind it, since nobody knows its length.
 */
async function locateStorages(
  source: ByteSource,
  position: number,
  keys: unknown,
  named: ReadonlyMap<string, TorchStorage>,
): Promise<Map<string, number>> {
  if (!Array.isArray(keys) || keys.length > maxStorages)
    throw damaged(
      source.name,
      `storages: want a list of at most ${maxStorages} keys, got ${describe(keys)}`,
    );
  const starts = new Map<string, number>();
  for (const key of keys) {
    const storage = named.get(key);
    if (!storage || starts.has(key)) break;
    const start = position + countBytes;
    const end = start + storage.numel * bytesPerElement[storage.dtype];
    if (end > source.size)
      throw damaged(
        source.name,
        `storage ${quote(key)}: want a file of ${end} bytes or more, got ${source.size}: it is cut short`,
      );
    const count = await source.read(position, countBytes);
    const elements = new DataView(count.buffer).getBigUint64(0, true);
    if (elements !== BigInt(storage.numel))
      throw damaged(
        source.name,
        `storage ${quote(key)}: want ${storage.numel} elements, got ${elements}`,
      );
    starts.set(key, start);
    position = end;
  }
  return starts;
}
