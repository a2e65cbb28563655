/**
 * The words everybody speaks: requests, events, decoding parameters, errors.
 * Runs wherever JavaScript does; needs zod only.
 */
export * from "./protocol.ts";
export * from "./engine.ts";
export { TinyGptvError, abortError, shorten, throwIfAborted, type ErrorCode } from "./errors.ts";
export { formatBox, parseBoxes, toPercent, type Corners } from "./boxes.ts";
export { acceptedFormats, sniffFormat, type ImageFormat } from "./imageFormat.ts";
export { version } from "./version.ts";
export {
  methodOf,
  resolveDecoding,
  type BeamDecoding,
  type GreedyDecoding,
  type ResolvedDecoding,
  type SampleDecoding,
} from "./decoding/params.ts";
export { createAutomaton, type Automaton, type State } from "./json/automaton.ts";
export { createGrammarBuilder } from "./json/grammar.ts";
export { compileJsonSchema } from "./json/jsonSchema.ts";
export { fromTransformers } from "./decoding/transformersParams.ts";
export { parseSchema } from "./json/schema.ts";
export { intersectionOverUnion, judge, metrics, type Metric } from "./judge.ts";
