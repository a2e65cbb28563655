/**
 * ONNX graphs whose values know their shapes: built, taken apart, as bytes.
 * @module @tinygptv/graph
 */
export type { Attribute, DataPlace, Graph, Initializer, Node, Port } from "./graph.ts";
export type { Dimension, Shape } from "./dimension.ts";
export { elements, product, sized, sum } from "./dimension.ts";
export type { TensorType } from "./shapes/call.ts";
export { Value } from "./value.ts";
export { typesOf } from "./types.ts";
export { sliceGraph } from "./slice.ts";
export { encodeOverData, parseModel, type StoredData } from "./onnx.ts";
export { stagesAsOutputs } from "./stages.ts";
export { GraphBuilder } from "./builder.ts";
export { gradients, gradientName } from "./gradients/gradients.ts";
