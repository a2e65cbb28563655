/** ONNX graphs: building, reading, writing. */
export type { Attribute, Graph, Initializer, Node, Port, Value } from "./graph.ts";
export { readModel, writeModel, type WriteOptions, type WrittenFile } from "./modelFile.ts";
export { sliceGraph } from "./slice.ts";
export { exposeStages } from "./onnx.ts";
export { GraphBuilder } from "./builder.ts";
export type { OpenSession, Session, SessionPort, SessionTensor } from "./session.ts";
