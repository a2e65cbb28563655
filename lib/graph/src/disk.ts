/**
 * Graphs on a disk, with their weights beside them. Needs Node.
 * @module @tinygptv/graph/disk
 */
export { readModel, writeModel, type WriteOptions, type WrittenFile } from "./modelFile.ts";
