/**
 * The engine in a page: models that run in the browser that shows it, over WebAssembly, in a worker.
 * @module tinygptv/web
 */
export { createEngine, type EngineOptions, type PageEngine } from "./web/engine.ts";
export type { LoadProgress, PageLevel, PageProvider } from "./web/messages.ts";
