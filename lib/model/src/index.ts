/**
 * What conversion and runtime share: the model folder, the model's dimensions, its tokenizer, numbers in memory.
 * @module @tinygptv/model
 */
export {
  checkName,
  components,
  formatVersion,
  manifestName,
  manifestSchema,
  nameSchema,
  parseManifest,
  readManifest,
  type Component,
  type Manifest,
} from "./manifest.ts";
export { readText, whatWasRead } from "./readText.ts";
export { byteLength, bytesPerElement, elementCount, type DType } from "./tensor/dtype.ts";
export { toFloat16, toFloat32, viewAs } from "./tensor/half.ts";
export { transpose } from "./tensor/transpose.ts";
export {
  clipMean,
  clipStd,
  dimensions,
  epsilon,
  modelConfigSchema,
  visionTokens,
  type ModelConfig,
  type PhiConfig,
  type QformerConfig,
  type VisionConfig,
} from "./config.ts";
export { loadTokenizer, type Tokenizer } from "./tokenizer/tokenizer.ts";
export { padBatch } from "./tokenizer/padding.ts";
export { parseJsonFile } from "./jsonFile.ts";
export { cleanUpAfterKilled, exists, moveIntoPlace, withScratchName } from "./scratchFolder.ts";
