/** All parameters of a model by our names, wherever they are stored. */
import type { WeightSource } from "./checkpoint/weightSource.ts";
import { toFloat32 } from "@tinygptv/model";
import type { DType } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { shown } from "./checkpoint/untrusted.ts";
import type { Weight } from "@tinygptv/network";
import { compile, type Rename } from "./weightMap.ts";

/** A parameter in a checkpoint file. */
export interface StoredWeight extends Weight {
  readonly dtype: DType;
  /** Key and file it comes from, for messages. */
  readonly origin: string;
  /** First-axis rows [start, end) in float32. */
  readonly loadRows: (start: number, end: number) => Promise<Float32Array>;
}

export type Catalog = Map<string, StoredWeight>;

/** What weights may be stored in; quantized checkpoints of other programs are not read. */
const floating: ReadonlySet<DType> = new Set(["float64", "float32", "float16", "bfloat16"]);

export interface Adopted {
  /** Keys that fit no rule of the table. */
  unknown: string[];
}

/**
 * Puts a checkpoint's tensors into the catalog under our names; a name that is
 * there already is overridden, as the reference's loading order does.
 */
export function adopt(catalog: Catalog, source: WeightSource, table: readonly Rename[]): Adopted {
  const ourName = compile(table);
  const unknown: string[] = [];
  const taken = new Map<string, string>();
  for (const [key, { shape, dtype, file }] of source.tensors) {
    const name = ourName(key);
    if (name === undefined) unknown.push(key);
    if (name === undefined || name === null) continue;
    if (taken.has(name))
      throw new TinyGptvError(
        "layout",
        `${file}: ${shown(taken.get(name)!)} and ${shown(key)} are the same weight`,
      );
    if (!floating.has(dtype))
      throw new TinyGptvError(
        "layout",
        `dtype: ${shown(key)} (${file}): want one of ${[...floating].join(", ")}, got ${dtype}`,
        { subject: key },
      );
    taken.set(name, key);
    catalog.set(name, {
      name,
      shape,
      dtype,
      origin: `${shown(key)} (${file})`,
      load: async () => toFloat32(await source.read(key), dtype),
      loadRows: async (start, end) => toFloat32(await source.read(key, { start, end }), dtype),
    });
  }
  for (const [key, what] of source.unread ?? []) {
    if (ourName(key) === undefined || ourName(key) === null) continue;
    throw new TinyGptvError(
      "layout",
      `${shown(key)} (${source.path}): want a tensor, got ${what}`,
      {
        subject: key,
      },
    );
  }
  return { unknown };
}
