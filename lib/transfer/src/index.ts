/**
 * Large files from anywhere to a disk: resumed, tried again, checked. Needs Node.
 * @module @tinygptv/transfer
 */
export { transfer, type TransferOptions, type Transferred } from "./transfer.ts";
export { Interruption, type Opened, type Source } from "./source.ts";
export { httpSource, webFetch } from "./httpSource.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { readChunks, sha256Of } from "./digest.ts";
