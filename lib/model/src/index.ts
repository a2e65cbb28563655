/**
 * What conversion and runtime share: what is in a model folder, the model's dimensions, its
 * tokenizer, numbers in memory. Runs in pages too; folders on disk are in `@tinygptv/model/disk`.
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
  type Component,
  type Manifest,
} from "./manifest.ts";
export {
  adapterFormatVersion,
  adapterManifestName,
  adaptersFolder,
  type AdapterManifest,
} from "./adapterManifest.ts";
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
export { readTokenizer, type Tokenizer } from "./tokenizer/tokenizer.ts";
export type { TextFiles } from "./textFiles.ts";
export { padBatch } from "./tokenizer/padding.ts";
export { parseJsonFile } from "./jsonFile.ts";
