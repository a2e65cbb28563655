import type { DType } from "@tinygptv/model";
import type { PickleGlobal, PickleNames } from "./pickleMachine.ts";
import { describe, isCount, isCounts, Unread } from "./untrusted.ts";

/** A storage that a pickle names: `numel` elements in an entry of their own. */
export class TorchStorage {
  readonly dtype: DType;
  readonly key: string;
  readonly numel: number;

  constructor(dtype: DType, key: string, numel: number) {
    this.dtype = dtype;
    this.key = key;
    this.numel = numel;
  }
}

/** A tensor that a pickle rebuilds: a view of a storage, in elements. Not yet held against its storage. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: TorchStorage,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** The classes of storages, which stand for the type of their elements. */
const storageTypes: ReadonlyMap<unknown, DType> = new Map<PickleGlobal, DType>([
  [{ name: "torch.DoubleStorage" }, "float64"],
  [{ name: "torch.FloatStorage" }, "float32"],
  [{ name: "torch.HalfStorage" }, "float16"],
  [{ name: "torch.BFloat16Storage" }, "bfloat16"],
  [{ name: "torch.LongStorage" }, "int64"],
  [{ name: "torch.IntStorage" }, "int32"],
  [{ name: "torch.ShortStorage" }, "int16"],
  [{ name: "torch.CharStorage" }, "int8"],
  [{ name: "torch.ByteStorage" }, "uint8"],
  [{ name: "torch.BoolStorage" }, "bool"],
]);

const globals: readonly PickleGlobal[] = [
  { name: "collections.OrderedDict", call: orderedDict },
  { name: "torch._utils._rebuild_tensor", call: rebuildOldTensor },
  { name: "torch._utils._rebuild_tensor_v2", call: rebuildTensor },
  { name: "torch._utils._rebuild_parameter", call: rebuildParameter },
  { name: "torch._utils._rebuild_parameter_with_state", call: rebuildParameter },
  { name: "torch._tensor._rebuild_from_type_v2", call: rebuildFromType },
  ...(storageTypes.keys() as Iterable<PickleGlobal>),
];

/** What torch.save makes weights of. */
export const torchNames: PickleNames = {
  globals: new Map(globals.map((global) => [global.name, global])),
  persistent: rebuildStorage,
};

type MakeError = (problem: string) => Error;

/** Its items follow as SETITEMS; the pickler of Python 2 hands them over as a list of pairs. */
function orderedDict(args: readonly unknown[], error: MakeError): Map<unknown, unknown> {
  const [items = [], ...others] = args;
  const arePairs =
    Array.isArray(items) && items.every((item) => Array.isArray(item) && item.length === 2);
  if (!arePairs || others.length > 0)
    throw error(`want nothing or a list of pairs, got ${describe(args)}`);
  return new Map(items as [unknown, unknown][]);
}

/** torch/_utils.py: (storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None). */
function rebuildTensor(args: readonly unknown[], error: MakeError): TorchTensor | Unread {
  const [storage, offset, shape, strides, , , metadata] = args;
  if (args.length < 6 || args.length > 7) throw error(`want 6 or 7 arguments, got ${args.length}`);
  if (storage instanceof Unread) return storage;
  if (!(storage instanceof TorchStorage))
    throw error(`storage: want one, got ${describe(storage)}`);
  if (!isCount(offset))
    throw error(`storage_offset: want a count of elements, got ${describe(offset)}`);
  if (!isCounts(shape)) throw error(`size: want sizes, got ${describe(shape)}`);
  if (!isCounts(strides) || strides.length !== shape.length) {
    throw error(`stride: want ${shape.length} of them, got ${describe(strides)}`);
  }
  // Marks a lazily negated or conjugated view, whose bytes are not its values.
  if (metadata !== undefined && metadata !== null)
    throw error(`metadata: want none, got ${describe(metadata)}`);
  return new TorchTensor(storage, offset, shape, strides);
}

/** Before PyTorch 0.4: (storage, storage_offset, size, stride). */
function rebuildOldTensor(args: readonly unknown[], error: MakeError): TorchTensor | Unread {
  if (args.length !== 4) throw error(`want 4 arguments, got ${args.length}`);
  return rebuildTensor([...args, false, null], error);
}

/** torch/_utils.py: (data, requires_grad, backward_hooks). */
function rebuildParameter(args: readonly unknown[], error: MakeError): TorchTensor | Unread {
  const [tensor] = args;
  if (tensor instanceof Unread) return tensor;
  if (!(tensor instanceof TorchTensor)) throw error(`data: want a tensor, got ${describe(tensor)}`);
  return tensor;
}

/** What a tensor with attributes is of; other subclasses may hold something else than their values. */
const plainTypes = new Set([
  "torch.Tensor",
  "torch._tensor.Tensor",
  "torch.nn.parameter.Parameter",
]);

/** torch/_tensor.py: (function, type, its arguments, attributes). */
function rebuildFromType(args: readonly unknown[], error: MakeError): object {
  const [rebuild, type, inner] = args;
  if (type instanceof Unread && !plainTypes.has(type.name)) return type;
  if (rebuild instanceof Unread) return rebuild;
  const global = globals.find((one) => one === rebuild);
  if (!global?.call || global.call === rebuildFromType || !Array.isArray(inner))
    throw error(`want a function and its arguments, got ${describe(args)}`);
  return global.call(inner, error);
}

/**
 * ("storage", type, key, location, numel), which in older files a description of
 * a view follows. The location tells which device it was saved from: no matter here.
 */
function rebuildStorage(id: unknown, error: MakeError): TorchStorage | Unread {
  const fields: unknown[] = Array.isArray(id) ? id : [];
  const [tag, type, key, location, numel, view] = fields;
  // A whole module is ("module", class, source file, source).
  if (type instanceof Unread && (tag === "storage" || tag === "module")) return type;
  const dtype = storageTypes.get(type);
  if (fields.length < 5 || fields.length > 6 || tag !== "storage" || !dtype) {
    throw error(`persistent id: want ("storage", type, key, location, numel), got ${describe(id)}`);
  }
  if (typeof key !== "string") throw error(`storage key: want a string, got ${describe(key)}`);
  if (typeof location !== "string")
    throw error(`storage location: want a string, got ${describe(location)}`);
  if (!isCount(numel))
    throw error(`storage size: want a count of elements, got ${describe(numel)}`);
  // PyTorch writes views of storages no more since 0.4.
  if (view !== undefined && view !== null) return new Unread("a view of a storage");
  return new TorchStorage(dtype, key, numel);
}
