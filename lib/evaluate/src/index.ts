/**
 * Checks and measurements of converted models; not loaded by the runtime.
 * @module @tinygptv/evaluate
 */
export { verify, type VerifyOptions } from "./verify/verify.ts";
export type { CaseResult, StageResult, VerifyReport } from "./verify/report.ts";
export {
  compare,
  type ComparedSubject,
  type CompareOptions,
  type CompareReport,
} from "./compare/compare.ts";
export { prepareCalibration, type CalibrationOptions } from "./calibration.ts";
export type { QuestionSource } from "./questions.ts";
