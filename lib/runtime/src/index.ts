/**
 * The runtime: converted models in, answers out. Conversion and evaluation are packages of their own.
 * @module tinygptv
 */
export {
  formatBox,
  parseBoxes,
  resolveDecoding,
  TinyGptvError,
  toPercent,
  version,
} from "@tinygptv/protocol";
export type {
  CallOptions,
  CopiesNews,
  CopiesState,
  Engine,
  EngineStatus,
  ErrorCode,
  ModelInfo,
  PrecisionChoice,
  PreprocessResult,
  Provider,
} from "@tinygptv/protocol";
export type { Manifest } from "@tinygptv/model";
export { readManifest } from "@tinygptv/model/disk";
export { copyBytes } from "./session/prepacked.ts";
export { createEngine, type EngineOptions } from "./engine/supervisor.ts";
export { copyFolders } from "./engine/copyFolders.ts";
export { copiesOf, prepack, type GraphCopy, type PrepackOptions } from "./engine/graphCopies.ts";
export { testWebgpu } from "./engine/execution.ts";
export { listAdapters, listModels, openModel, type OpenOptions } from "./engine/openModel.ts";
export type { AnswerOptions, Model, RunOptions } from "./model.ts";
export { openSession } from "./session/runtime.ts";
export type { ListedAdapter } from "./engine/adapters.ts";
export { inOrder } from "./inOrder.ts";
