/** The quantization levels: which part of the model is stored and computed how. A table; measured in docs/quantization.md. */
import { components } from "@tinygptv/model";
import type { Component } from "@tinygptv/model";
import type { BlockFormat } from "./blockwise.ts";

export type Method =
  | { readonly kind: "float32" }
  /** Stored in half, computed in float32. */
  | { readonly kind: "float16" }
  /** MatMulNBits, rounded to nearest. */
  | { readonly kind: "blockwise"; readonly format: BlockFormat }
  /** MatMulNBits, rounded so that later weights make up for the errors of earlier ones (quantize/gptq.ts). */
  | { readonly kind: "calibrated"; readonly format: BlockFormat }
  /** DynamicQuantizeMatMul; `fallback` where a layer's inputs have outliers. */
  | { readonly kind: "dynamic"; readonly fallback: BlockFormat };

/** How one graph is quantized. */
export interface Recipe {
  /** Every linear layer but the head. */
  readonly layers: Method;
  /** The language model's last layer, onto the vocabulary; only `phi` has one. */
  readonly head?: Method;
}

export type Level = Record<Component, Recipe>;

const float32: Method = { kind: "float32" };
const float16: Method = { kind: "float16" };
const blockwise = (bits: 4 | 8, blockSize: 32 | 64 | 128): Method => ({
  kind: "blockwise",
  format: { bits, blockSize },
});
const calibrated = (bits: 4 | 8, blockSize: 32 | 64 | 128): Method => ({
  kind: "calibrated",
  format: { bits, blockSize },
});

const dynamic: Method = { kind: "dynamic", fallback: { bits: 8, blockSize: 64 } };

/**
 * The picture side of all integer levels. The encoder runs one picture at a
 * time over a thousand positions, where DynamicQuantizeMatMul is fastest; 4-bit
 * weights would be slower there and far less exact. The Q-Former and the mapping
 * are too small for speed to matter.
 */
const int8Picture = {
  vision: { layers: dynamic },
  qformer: { layers: blockwise(8, 64) },
  mapping: { layers: blockwise(8, 64) },
} as const satisfies Partial<Level>;

export const levels = {
  fp32: everywhere(float32),
  fp16: everywhere(float16),
  int8: { ...int8Picture, phi: { layers: blockwise(8, 128), head: blockwise(8, 128) } },
  int4: { ...int8Picture, phi: { layers: blockwise(4, 128), head: blockwise(4, 128) } },
  "int4-b32": { ...int8Picture, phi: { layers: blockwise(4, 32), head: blockwise(4, 32) } },
  "int4-gptq": { ...int8Picture, phi: { layers: calibrated(4, 128), head: calibrated(4, 128) } },
  /** For the engine in a page: over WebAssembly 4-bit blocks take three times as long, and float32 is four times the download. */
  page: { ...int8Picture, phi: { layers: dynamic, head: dynamic } },
  /** As fast as `int4`; the head in 8 bits takes away two thirds of what 4 bits cost in quality. */
  auto: { ...int8Picture, phi: { layers: blockwise(4, 128), head: blockwise(8, 128) } },
} as const satisfies Record<string, Level>;

export type LevelName = keyof typeof levels;
/** Names of all quantization levels. */
export const levelNames = Object.keys(levels) as LevelName[];

/** Which method a linear layer is quantized by. */
export function methodFor({ layers, head }: Recipe, layer: string): Method {
  return head && layer === "phi.head" ? head : layers;
}

export function isCalibrated(level: Level): boolean {
  return Object.values(level).some(({ layers }) => layers.kind === "calibrated");
}

/** A recipe in a file name: `int4-b128`, `int4-b128_head-int8-b128`. Equal recipes share a file. */
export function recipeName({ layers, head }: Recipe): string {
  const name = methodName(layers);
  const headName = head && methodName(head);
  return headName && headName !== name ? `${name}_head-${headName}` : name;
}

function methodName(method: Method): string {
  switch (method.kind) {
    case "float32":
    case "float16":
      return method.kind;
    case "blockwise":
      return `int${method.format.bits}-b${method.format.blockSize}`;
    case "calibrated":
      return `int${method.format.bits}-b${method.format.blockSize}-gptq`;
    case "dynamic":
      return "int8-dynamic";
  }
}

function everywhere(layers: Method): Level {
  return Object.fromEntries(components.map((component) => [component, { layers }])) as Level;
}
