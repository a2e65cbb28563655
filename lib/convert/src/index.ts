/**
 * Conversion of published checkpoints; not loaded by the runtime.
 * @module @tinygptv/convert
 */
export { convert, type ConvertOptions } from "./convert.ts";
export type { WritePlan } from "./plan.ts";
export type { ConvertProgress } from "./progress.ts";
export { quantizeModel, type QuantizeOptions } from "./quantizeModel.ts";
export { mergeTrained, type MergeOptions, type TrainedWeights } from "./mergeTrained.ts";
export { addAdapter, type AdapterOptions } from "./addAdapter.ts";
export { removeLevel } from "./removeLevel.ts";
export type { CalibrationSet } from "./calibrate/samples.ts";
export { levelNames } from "./quantize/registry.ts";
export { inspect, type Inspection, type InspectedWeights } from "./inspect.ts";
export { readPickle } from "./checkpoint/dataPickle.ts";
export { findSources, openStageFile, type SourcePaths } from "./sources.ts";
export { openWeights } from "./checkpoint/folder.ts";
export { openUnmerged, type UnmergedModel } from "./unmerged.ts";
export { openSafetensors } from "./checkpoint/safetensors.ts";
export { currentContent, type PublishedContent } from "./published.ts";
export { fromInterleaved, toInterleaved } from "./phiAttention.ts";
export { stageKey, stageName } from "./weightMap.ts";
export type { TensorInput } from "./checkpoint/writing/chunks.ts";
export {
  orderedDict,
  PythonFloat,
  PythonTuple,
  type PythonValue,
} from "./checkpoint/writing/pickler.ts";
export { safetensorsFile } from "./checkpoint/writing/safetensorsFile.ts";
export { TorchFile, type TorchFileOptions } from "./checkpoint/writing/torchFile.ts";
