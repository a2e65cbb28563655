/** Checks and measurements of converted models; not loaded by the runtime. */
export { verify, type VerifyOptions } from "./verify/verify.ts";
export type { CaseResult, StageResult, VerifyReport } from "./verify/report.ts";
