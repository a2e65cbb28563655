/**
 * Notebooks: format, cells, staleness and running. Pure; needs neither Node nor a browser.
 * @module @tinygptv/notebook
 */
export * from "./cell.ts";
export * from "./document.ts";
export * from "./output.ts";
export * from "./kept.ts";
export { contentHash, canonicalJson } from "./hash.ts";
export {
  dependencies,
  referencesIn,
  resolveRound,
  runOrder,
  withRenamed,
  type OutputOf,
  type Reference,
} from "./references.ts";
export { fingerprint, freshness, type Freshness } from "./fingerprint.ts";
export { toMarkdown, fromMarkdown, type ReadMarkdown } from "./markdown.ts";
export { mend } from "./fence.ts";
export { asSound, checkChange, type PatchOf } from "./change.ts";
export { remarkText, type Mistake, type Remark } from "./remark.ts";
export { toIpynb, withOutputs } from "./ipynb.ts";
export { fromIpynb } from "./readIpynb.ts";
export { toBase64, fromBase64 } from "./base64.ts";
export { pictureUrl } from "./pictureType.ts";
export { toCsv } from "./csv.ts";
export { planRuns, maxRuns, type PlannedRun } from "./plan.ts";
export {
  inspection,
  pictureBytes,
  runError,
  type NotebookEngine,
  type RunContext,
} from "./context.ts";
export { runCell } from "./run.ts";
export { runNotebook } from "./runNotebook.ts";
export {
  agreement,
  crossAgreement,
  firstDivergence,
  textDivergence,
  type Agreement,
} from "./divergence.ts";
export { disagreements, prefersAnother, readingsOf, type Reading } from "./readings.ts";
export {
  packNotebook,
  unpackNotebook,
  type OpenedNotebook,
  type PackedNotebook,
} from "./sideFiles.ts";
export { isKeptContent, keptIn, keptName, sideFileName, withAddresses } from "./keptPictures.ts";
export { outputTable, runColumns, type TableColumn, type TableRow } from "./table.ts";
