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
export { evaluate, type EvaluateOptions } from "./benchmark/evaluate.ts";
export {
  benchmarkNamed,
  benchmarkNames,
  type Benchmark,
  type BenchmarkName,
} from "./benchmark/benchmarks.ts";
export { fromEngine, type Answerer, type GivenAnswer } from "./benchmark/answerer.ts";
export { openEndpoint, type Endpoint, type EndpointOptions } from "./benchmark/endpoint.ts";
export { identify, type RunIdentity } from "./benchmark/modelIdentity.ts";
export type { Asking, Expected, Wording } from "./benchmark/question.ts";
export type { AnswerRecord } from "./benchmark/record.ts";
export type { Rule } from "./benchmark/rules/rule.ts";
export { readRun, type RunScores, type RunSettings } from "./benchmark/runFolder.ts";
export type { Figures, Scores } from "./benchmark/scores.ts";
export {
  reportRuns,
  type BenchmarkReport,
  type Disagreement,
  type ReportedRun,
  type RunReport,
} from "./benchmark/report/report.ts";
export { reportPage } from "./benchmark/report/page.ts";
export { verdictOf, type Verdict } from "./benchmark/report/verdict.ts";
export type { Interval } from "./benchmark/report/bootstrap.ts";
