/** Conversion of published checkpoints; not loaded by the runtime. */
export { convert, type ConvertOptions, type ConvertProgress } from "./convert.ts";
export { findSources, recognise, detectPhiLayout, type SourcePaths } from "./sources.ts";
