/** Proof that a converted model computes what the reference computes: golden data, stage by stage and answer by answer. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { PrecisionChoice, Provider } from "@tinygptv/protocol";
import { chooseExecution } from "tinygptv/parts";
import type { GraphOptions } from "tinygptv/parts";
import {
  checkBatch,
  checkChat,
  checkGeneration,
  checkMultiSelect,
  checkProcessors,
  checkTokenization,
} from "./cases.ts";
import { closeGoldenSet, readGoldenSet, type GoldenSet, type ModelGolden } from "./goldenSet.ts";
import { checkPreprocess } from "./preprocessSet.ts";
import { Report, type VerifyReport } from "./report.ts";
import {
  checkHiddenStates,
  checkLanguageModel,
  checkMergedWeights,
  checkVision,
} from "./stages.ts";
import { checkTraining } from "./training.ts";
import { openSubject, withLanguageModel, type SpeakingSubject } from "./subject.ts";
import { checkTokenizer } from "./tokenizerSet.ts";

/** What is held against which numbers of the reference. */
export interface VerifyOptions {
  /** `golden*.json` of a model set, or of the preprocess or tokenizer set. */
  golden: string;
  /** Converted model folder; the preprocess and tokenizer sets need none. */
  model?: string;
  /** Quantization level; `fp32` where there is one. */
  level?: string;
  /** What runs the model; the processor unless given. */
  provider?: Provider | undefined;
  /** In what precision, on a GPU; float32 unless given. */
  precision?: PrecisionChoice | undefined;
  /** Opens graphs on the processor; ONNX Runtime unless given. */
  openSession?: GraphOptions["openSession"];
}

/**
 * Runs everything a golden set has against a model.
 * Errors have code "model" where the set or the model cannot be read; differences are in the report.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { golden, model } = options;
  const set = await readGoldenSet(golden);
  const report = new Report();
  try {
    if (set.kind === "preprocess")
      await checkPreprocess(set.golden, set.folder, set.tensors, report);
    else if (set.kind === "tokenizer") await checkTokenizer(set.golden, set.folder, report);
    else if (model) await verifyModel(set, model, options, report);
    else
      throw new TinyGptvError(
        "model",
        `${golden}: want a converted model to run this set against, got none`,
      );
  } finally {
    await closeGoldenSet(set);
  }
  return report.finish();
}

async function verifyModel(
  set: GoldenSet & { kind: "model" },
  folder: string,
  { level, openSession, provider = "cpu", precision = "float32" }: VerifyOptions,
  report: Report,
): Promise<void> {
  const { golden, tensors } = set;
  const base = set.base?.kind === "model" ? set.base : undefined;
  const source = tensors.shape("images") ? tensors : base?.tensors;
  const images = await source?.get("images");
  const prompts = golden.prompts ?? base?.golden.prompts;
  if (!images || !prompts)
    throw new TinyGptvError(
      "model",
      `${set.folder}: want golden data with pictures and prompts, got neither here nor in the set it refers to`,
    );
  const execution = await chooseExecution(provider, precision);
  const subject = await openSubject(folder, level, { openSession, execution });
  try {
    const { imageSize } = subject.config.vision;
    const shape = source!.shape("images")!;
    if (shape[2] !== imageSize)
      throw new TinyGptvError(
        "model",
        `${folder}: want a model for pictures of ${shape[2]} pixels as in the golden data, got one for ${imageSize}`,
      );
    const { features, embeds } = await checkVision(
      subject,
      { values: images, count: shape[0]! },
      tensors,
      report,
    );
    await checkMergedWeights(subject, tensors, report);
    await checkHiddenStates(subject, prompts, features, tensors, report);
    checkTokenization(subject, prompts, report);
    await withLanguageModel(subject, (speaking) =>
      checkAnswers(speaking, set, prompts, features, report),
    );
    if (golden.processors) await checkProcessors(golden.processors, tensors, report);
    if (golden.train)
      await checkTraining(
        subject,
        golden.train,
        { folder: set.folder, checkpoint: golden.checkpoint },
        embeds,
        tensors,
        report,
      );
  } finally {
    await subject.close();
  }
}

/** Everything that runs the language model as the engine does. */
async function checkAnswers(
  subject: SpeakingSubject,
  { golden, tensors }: GoldenSet & { kind: "model" },
  prompts: NonNullable<ModelGolden["prompts"]>,
  features: readonly Float32Array[],
  report: Report,
): Promise<void> {
  await checkLanguageModel(subject, golden, prompts, features, tensors, report);
  if (golden.generation)
    await checkGeneration(subject, golden.generation, prompts, features, report);
  if (golden.greedy_prompt0) {
    const { max_new_tokens, tokens } = golden.greedy_prompt0;
    const params = { max_new_tokens };
    const text = [subject.tokenizer.decodeReference(tokens)];
    const one = { kind: "greedy", prompt: 0, params, eos_token_id: null, tokens: [tokens], text };
    await checkGeneration(subject, [one], prompts, features, report);
  }
  if (golden.batch) await checkBatch(subject, golden.batch, features, report);
  if (golden.chat) await checkChat(subject, golden.chat, features, report);
  if (golden.multi_select) await checkMultiSelect(subject, golden.multi_select, features, report);
}
