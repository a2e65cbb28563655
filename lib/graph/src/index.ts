/**
 * ONNX graphs whose values know their shapes: building, reading, writing.
 * @module @tinygptv/graph
 */
export type { Attribute, DataPlace, Graph, Initializer, Node, Port } from "./graph.ts";
export type { Dimension, Shape } from "./dimension.ts";
export { elements, product, sized, sum } from "./dimension.ts";
export type { TensorType } from "./shapes/call.ts";
export { Value } from "./value.ts";
export { typesOf } from "./types.ts";
export { readModel, writeModel, type WriteOptions, type WrittenFile } from "./modelFile.ts";
export { sliceGraph } from "./slice.ts";
export { encodeOverData } from "./onnx.ts";
export { stagesAsOutputs } from "./stages.ts";
export { GraphBuilder } from "./builder.ts";
export { gradients, gradientName } from "./gradients/gradients.ts";
