/**
 * Model folders on a disk: read, written, moved into place. Needs Node.
 * @module @tinygptv/model/disk
 */
export { readManifest } from "./readManifest.ts";
export { readText, whatWasRead } from "./readText.ts";
export { loadTokenizer } from "./tokenizer/loadTokenizer.ts";
export { cleanUpAfterKilled, exists, moveIntoPlace, withScratchName } from "./scratchFolder.ts";
