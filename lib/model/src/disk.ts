/**
 * Model folders on a disk: read, written, moved into place. Needs Node.
 * @module @tinygptv/model/disk
 */
export { adapterNames, readAdapterManifest, splitFolder, type StoredAdapter } from "./adapters.ts";
export { replaceDurably, syncFolder, writeDurably, type Content } from "./durable.ts";
export { onDisk } from "./onDisk.ts";
export { readManifest } from "./readManifest.ts";
export { readText, whatWasRead } from "./readText.ts";
export { loadTokenizer } from "./tokenizer/loadTokenizer.ts";
export { cleanUpAfterKilled, exists, moveIntoPlace, withScratchName } from "./scratchFolder.ts";
