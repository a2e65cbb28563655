/**
 * Training of TinyGPT-V in ONNX Runtime's ordinary sessions.
 * @module @tinygptv/train
 */
export type { Example } from "./data/example.ts";
export type { Parameter } from "./parameter.ts";
