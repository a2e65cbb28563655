/** The runtime: converted models in, answers out. Conversion and evaluation are exports of their own. */
export { createEngine, type EngineOptions } from "./engine/supervisor.ts";
export type {
  CallOptions,
  Engine,
  EngineStatus,
  ModelInfo,
  PreprocessResult,
} from "./engine/engine.ts";
export { listModels, openModel, type OpenOptions } from "./engine/openModel.ts";
export type { Model, RunOptions } from "./model.ts";
export { TinyGptvError, type ErrorCode } from "./errors.ts";
export { readManifest, type Manifest } from "./manifest.ts";
export { resolveDecoding } from "./decoding/params.ts";
export { formatBox, parseBoxes, toPercent } from "./text/boxes.ts";
export { version } from "./version.ts";
