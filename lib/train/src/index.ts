/**
 * Training of TinyGPT-V in ONNX Runtime's ordinary sessions.
 * @module @tinygptv/train
 */
export {
  adamWStep,
  initialMoments,
  isDecayed,
  type AdamWOptions,
  type AdamWState,
  type Moments,
} from "./adamw.ts";
export { clipGradients } from "./clipping.ts";
export type { Example } from "./data/example.ts";
export {
  dataFormats,
  findMistakes,
  openDataSet,
  type AnswerLimit,
  type DataFormat,
  type DataSetSpec,
} from "./data/dataSets.ts";
export { openMixture, type Mixture, type MixtureSpec, type MixtureState } from "./data/mixture.ts";
export { findSplit, type Split } from "./data/own/own.ts";
export { readPicture } from "./data/picture.ts";
export type { EndlessSet, ListedSet, OpenSet, Round, Sample } from "./data/sample.ts";
export { stageWordings, toExamples, type Wording } from "./data/wording.ts";
export { initialLossScale, nextLossScale, unscale, type LossScale } from "./lossScaler.ts";
export {
  openNetwork,
  type Network,
  type NetworkPart,
  type Regime,
  type WeightSource,
} from "./network.ts";
export {
  openRunLog,
  type EvaluationFigures,
  type RunLog,
  type RunLogOptions,
  type StepFigures,
} from "./metrics/runLog.ts";
export type { Parameter } from "./parameter.ts";
export {
  estimateCost,
  planOf,
  runTraining,
  type TrainingCost,
  type TrainingOutcome,
} from "./training.ts";
export type { EvaluationSpec, TrainingPlan } from "./plan.ts";
export { memoryWanted } from "./memory.ts";
export { openFeatures, type Features } from "./features.ts";
export {
  train,
  type Evaluation,
  type TrainingEvent,
  type TrainingResult,
  type TrainingRun,
} from "./run.ts";
export { batchOf, encodeExample, type Batch, type Row } from "./rows.ts";
export { fromCheckpoint, fromModel } from "./sources.ts";
export { openStepper, type Gradients, type Score, type Stepper, type StepResult } from "./step.ts";
export { constantRate, learningRate, type Schedule } from "./schedule.ts";
export { readAdapter, writeAdapter, type Adapter } from "./results/peft.ts";
export { readTrained, type Trained } from "./results/trained.ts";
export {
  readStageFile,
  writeStageFile,
  type ConfigValue,
  type StageResult,
} from "./results/stageFile.ts";
export {
  loadState,
  saveState,
  type LoadedState,
  type Progress,
  type TrainingState,
} from "./saving/trainingState.ts";
export { evaluationsOf, mixtureOf, regimeOf, scheduleOf, wordingOf } from "./settings/plan.ts";
export { referenceConfig } from "./settings/referenceConfig.ts";
export { parseRunFile, readRunFile, stageRunFile } from "./settings/runFile.ts";
export type { RunSettings } from "./settings/schema.ts";
