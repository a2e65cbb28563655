import type { DType } from "@tinygptv/model";

/** A tensor that flows through a graph. Builders pass values; names appear only in the file. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
}

/** A dimension: a size, or the name of one that is known only at run time. */
export type Dimension = number | string;

/** Constant data of a graph. Bytes are asked for once, when the file is written. */
export interface Initializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Dense, row-major, little-endian bytes. */
  readonly load: () => Promise<Uint8Array>;
}

export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Node {
  readonly name: string;
  readonly op: string;
  /** "" for ONNX's own operators, "com.microsoft" for ONNX Runtime's. */
  readonly domain: string;
  /** Value names; "" for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dimension[];
}

/** A whole graph: what a builder makes, a quantization pass rewrites, and `writeModel` stores. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Initializer>;
  /** Reference stage (`vit.output`) -> name of the value that holds it; `verify` reads them. */
  readonly stages: ReadonlyMap<string, string>;
}
