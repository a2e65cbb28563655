/** Names that training puts around a model's own, and weights under the names without them. */
import { TinyGptvError } from "@tinygptv/protocol";
import { shown } from "./checkpoint/untrusted.ts";
import type { WeightSource } from "./checkpoint/weightSource.ts";

/** Parts of a key, wherever in it they stand; no published key has one. */
const wrappers: ReadonlySet<string> = new Set([
  "module", // DataParallel, DistributedDataParallel, DeepSpeed
  "_orig_mod", // torch.compile
  "_fsdp_wrapped_module", // FullyShardedDataParallel
  "_checkpoint_wrapped_module", // activation checkpointing
]);

/** The attribute a trainer keeps a model in. Published keys begin so too: only what is unknown with it is tried without. */
const attribute = "model.";
const maxAttributes = 2;

/**
 * The same weights under the names of the model itself. Keys that nobody knows
 * with or without wrappers stay as they are.
 * @throws TinyGptvError "layout" where two keys become one
 */
export function unwrap(
  source: WeightSource,
  isKnown: (keys: readonly string[]) => boolean,
): WeightSource {
  const keys = [...source.tensors.keys(), ...(source.unread?.keys() ?? [])];
  for (let count = 0; count <= maxAttributes; count++) {
    const names = keys.map((key) => withoutWrappers(key, count));
    if (isKnown(names)) return renamed(source, new Map(keys.map((key, i) => [key, names[i]!])));
  }
  return source;
}

function withoutWrappers(key: string, attributes: number): string {
  let name = key
    .split(".")
    .filter((part) => !wrappers.has(part))
    .join(".");
  for (let i = 0; i < attributes && name.startsWith(attribute); i++)
    name = name.slice(attribute.length);
  return name;
}

function renamed(source: WeightSource, names: ReadonlyMap<string, string>): WeightSource {
  const keyOf = new Map<string, string>();
  for (const [key, name] of names) {
    const other = keyOf.get(name);
    if (other !== undefined)
      throw new TinyGptvError(
        "layout",
        `${source.path}: ${shown(other)} and ${shown(key)} are the same weight`,
        { subject: key },
      );
    keyOf.set(name, key);
  }
  const tensors = Array.from(source.tensors.values(), (info) => {
    const name = names.get(info.name)!;
    return [name, { ...info, name }] as const;
  });
  const unread = Array.from(source.unread ?? [], ([key, what]) => [names.get(key)!, what] as const);
  return {
    ...source,
    tensors: new Map(tensors),
    unread: new Map(unread),
    read: (name, rows) => source.read(keyOf.get(name) ?? name, rows),
  };
}
