import { TinyGptvError } from "@tinygptv/protocol";
import type { Weight } from "@tinygptv/network";

/** Where a weight comes from, for messages: key and file where it is stored in one. */
export function originOf(weight: Weight): string {
  return "origin" in weight ? String(weight.origin) : weight.name;
}

/** The weight itself if it has this shape; an error "layout" if not. */
export function expectShape<W extends Weight>(weight: W, want: readonly number[]): W {
  const { shape } = weight;
  if (shape.length === want.length && shape.every((size, i) => size === want[i])) return weight;
  throw new TinyGptvError("layout", `shape: ${originOf(weight)}: want [${want}], got [${shape}]`, {
    subject: weight.name,
  });
}
