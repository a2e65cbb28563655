import type { DType } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { describeShape, sameShape, type Shape } from "./dimension.ts";
import type { TensorType } from "./shapes/call.ts";

/** A tensor that flows through a graph. Builders pass values; names appear only in the file. */
export class Value implements TensorType {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly contents: Shape | undefined;
  readonly #graph: string;

  constructor(graph: string, name: string, { dtype, shape, contents }: TensorType) {
    this.#graph = graph;
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.contents = contents;
  }

  /**
   * Says what the shape is, and is held to it: `x = linear(…).is(B, S, H)`.
   * @throws TinyGptvError "layout" where it is another one
   */
  is(...shape: Shape): this {
    if (sameShape(this.shape, shape)) return this;
    throw new TinyGptvError(
      "layout",
      `graph ${this.#graph}: ${this.name}: want shape ${describeShape(shape)}, got ${describeShape(this.shape)}`,
      { subject: this.name },
    );
  }
}
