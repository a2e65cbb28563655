/**
 * The engine in a page, from inside its worker: a module that calls `hostModels` can be run as one.
 * @module tinygptv/web/worker
 */
export { hostModels } from "./web/host.ts";
export type { Programs } from "./web/models.ts";
