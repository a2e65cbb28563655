/**
 * The words everybody speaks: requests, events, decoding parameters, errors.
 * Runs wherever JavaScript does; needs zod only.
 * @module @tinygptv/protocol
 */
export * from "./request.ts";
export * from "./events.ts";
export * from "./answer.ts";
export * from "./engine.ts";
export {
  TinyGptvError,
  abortError,
  libraryErrorCodes,
  shorten,
  throwIfAborted,
  type ErrorCode,
} from "./errors.ts";
export { check, describePath, faultsIn, faultsOf, parse, sentence, type Fault } from "./issues.ts";
export { renamed, type NameOf } from "./names.ts";
export { formatBox, parseBoxes, toPercent, type BoxPicture, type Corners } from "./boxes.ts";
export { acceptedFormats, sniffFormat, type ImageFormat } from "./imageFormat.ts";
export { adapterId, isAskedFor, splitId } from "./modelId.ts";
export { version } from "./version.ts";
export * from "./decoding/parameters.ts";
export * from "./decoding/presets.ts";
export type { Control, Option, ParameterRow } from "./decoding/row.ts";
export { decodingMethods, type DecodingMethod } from "./decoding/rows/method.ts";
export {
  isDeterministic,
  methodOf,
  resolveDecoding,
  withEndMark,
  type BeamDecoding,
  type GreedyDecoding,
  type ResolvedDecoding,
  type SampleDecoding,
} from "./decoding/resolve.ts";
export { createAutomaton, type Automaton, type State } from "./json/automaton.ts";
export { createGrammarBuilder } from "./json/grammar.ts";
export { compileJsonSchema } from "./json/jsonSchema.ts";
export { fromTransformers } from "./decoding/transformersParams.ts";
export { parseSchema } from "./json/schema.ts";
export { intersectionOverUnion, judge, metricOf, metrics, type Metric } from "./judge.ts";
export { precisions, providers, type PrecisionChoice, type Provider } from "./execution.ts";
