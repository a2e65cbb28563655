import type { Shape } from "./dimension.ts";
import type { DType } from "@tinygptv/model";

/** A stretch of a data file. */
export interface DataPlace {
  /** Name of the file, in the graph's folder. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Constant data of a graph. Bytes are asked for once, when the file is written. */
export interface Initializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements of a small list of integers, which other shapes may depend on. */
  readonly contents?: readonly number[] | undefined;
  /** Where in a file beside the graph its bytes lie, of one that was read. */
  readonly place?: DataPlace | undefined;
  /** Dense, row-major, little-endian bytes. */
  readonly load: () => Promise<Uint8Array>;
}

/** An attribute of a node: a plain number is an integer, others are said to be floats. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** One use of an operator. */
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

/** A value that goes into a graph or comes out of it. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Names for the elements of an input that says a shape; not kept in the file. */
  readonly contents?: Shape | undefined;
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
  /** Values that end the model's blocks, in their order: between two of them a block can be run by itself. */
  readonly blocks: readonly string[];
}
