/** Conversion of published checkpoints; not loaded by the runtime. */
export { convert, type ConvertOptions, type ConvertProgress } from "./convert.ts";
export { inspect, type Inspection, type InspectedWeights } from "./inspect.ts";
export { findSources, type SourcePaths } from "./sources.ts";
