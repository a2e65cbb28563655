/**
 * The parts that answers are made of, for those who look inside: verification, comparison, benchmarks.
 * @module tinygptv/parts
 */
export type { ModelFiles } from "./engine/modelFiles.ts";
export { openParts, threadsFor } from "./engine/openParts.ts";
export { graphsOf, type ModelParts, type OpenedParts } from "./engine/parts.ts";
export type { GraphOptions } from "./engine/openGraph.ts";
export { runPromptWithStages, runWithStages } from "./engine/stages.ts";
export { adaptersIn } from "./engine/adapterFiles.ts";
export {
  listedAdapter,
  noAdapters,
  type ListedAdapter,
  type AdapterSource,
  type OpenAdapters,
} from "./engine/adapters.ts";
export { openOn } from "./engine/openOn.ts";
export { chooseExecution, testWebgpu, type Execution } from "./engine/execution.ts";
export { worthwhile } from "./engine/gpuChoice.ts";
export { bindingFolder, libraryFinder, missingFor, type FindLibrary } from "./engine/libraries.ts";
export { findVulkan, vulkanLoader, whyNoGpu, type VulkanMachine } from "./engine/vulkan.ts";
export { seeded } from "./decoding/rng.ts";
export { argmax, logSoftmax, logSumExp } from "./decoding/logSoftmax.ts";
export type { LanguageModel } from "./decoding/sequence.ts";
export { decodeImage } from "./image/decode.ts";
export { normalize, preprocess } from "./image/preprocess.ts";
export type { TokenEmbeddings } from "./session/embeddings.ts";
export { encodeImage, type VisionSessions } from "./session/vision.ts";
export { buildPrompt, encodePrompt } from "./text/templates.ts";
export { padBatch, type Tokenizer } from "@tinygptv/model";
export { loadTokenizer } from "@tinygptv/model/disk";
export { decode, rowsOf } from "./decoding/decode.ts";
export type { DecodedAnswer } from "./decoding/decoder.ts";
export {
  minLength,
  noRepeatNgram,
  repetitionPenalty,
  type LogitsProcessor,
} from "./decoding/logitsProcessors.ts";
export { temperature, topK, topP } from "./decoding/logitsWarpers.ts";
export { scoreCandidates } from "./decoding/scoring.ts";
export { tokenSequences } from "./decoding/stopping.ts";
export { cutsOffSums, openSession, runtimeVersion } from "./session/runtime.ts";
export { resizeBicubic } from "./image/resize.ts";
export { createScheduler, type Scheduler } from "./engine/scheduler.ts";
