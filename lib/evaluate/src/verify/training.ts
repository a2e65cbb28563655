/** One step of training against the reference's: targets, loss, gradients, the optimizer, a conversation. */
import { join } from "node:path";
import { findSources, openUnmerged, stageKey, toInterleaved } from "@tinygptv/convert";
import type { ModelConfig } from "@tinygptv/model";
import {
  adamWStep,
  batchOf,
  encodeExample,
  fromCheckpoint,
  initialMoments,
  openNetwork,
  openStepper,
  type Example,
  type Network,
  type Parameter,
  type Row,
  type Stepper,
} from "@tinygptv/train";
import { openOn } from "tinygptv/parts";
import type { GoldenTensors } from "./goldenSet.ts";
import type { TrainGolden } from "./trainGolden.ts";
import type { Report } from "./report.ts";
import type { Subject } from "./subject.ts";

/** From the noise of float32 in the reference itself (test/fixtures/README.md). */
const tolerances = {
  loss: 1e-4,
  /** Of ‖difference‖ / ‖gradient‖. */
  gradients: 1e-4,
  parameters: 1e-6,
  /** Where the gradient is below `smallGradient`: the first step of AdamW is nearly rate · sign. */
  parametersOfSmallGradients: 2.1e-4,
};
const smallGradient = 1e-5;

/** Nothing is cut: the reference's batches are short. */
const maxAnswerTokens = 1024;

/**
 * @param folder of the published files, whose LoRA is trained beside the base
 * @param pictures before the mapping, (Q,D) each
 */
export async function checkTraining(
  subject: Subject,
  golden: TrainGolden,
  { folder, checkpoint }: { folder: string; checkpoint: string },
  pictures: readonly Float32Array[],
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const { paths, settings } = await findSources(folder, { checkpoint: join(folder, checkpoint) });
  const unmerged = await openUnmerged({ sources: paths, ...(settings && { settings }) });
  try {
    const { lora } = unmerged;
    const regime = { lora: lora && { ...lora, dropout: 0 }, dropout: 0 };
    const network = await openNetwork(fromCheckpoint(unmerged), regime);
    const stepper = await openStepper(network, {
      open: openOn(subject.options.execution),
      recomputes: true,
      picture: async (index) => pictures[Number(index)]!,
      embeddings: subject.embeddings,
    });
    try {
      await checkStep(subject, golden, network, stepper, tensors, report);
    } finally {
      await stepper.close();
    }
  } finally {
    await unmerged.close();
  }
}

async function checkStep(
  subject: Subject,
  golden: TrainGolden,
  network: Network,
  stepper: Stepper,
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const rowsOf = (examples: readonly Example[]) =>
    examples.map((one) =>
      encodeExample(one, subject.tokenizer, subject.config.qformer.numQueryTokens),
    );
  const rows = rowsOf(instructions(golden));
  checkRows(rows, golden, report);
  const batch = batchOf(rows);
  const scale = 1 / batch.targets;
  if (golden.conversation) {
    const { conversation } = golden;
    const spoken = batchOf(rowsOf(conversations(golden)));
    checkRows(spoken.rows, conversation, report, "train.conversation");
    const { loss } = await stepper.run(spoken, 1 / spoken.targets);
    compareLoss("train.conversation.loss", loss, conversation.loss, report);
  }

  const { loss, gradients } = await stepper.run(batch, scale);
  compareLoss("train.loss", loss, golden.loss, report);
  const before = await checkGradients(network, gradients, tensors, report);
  if (golden.grad_norm_all !== undefined) {
    const got = Math.hypot(...Array.from(gradients.values(), norm));
    const distance = Math.abs(got / golden.grad_norm_all - 1);
    report.distance("train.gradient norm", distance, tolerances.gradients);
  }

  const { lr, weight_decay, betas, eps } = golden.optimizer;
  adamWStep(network.parameters, gradients, initialMoments(network.parameters), {
    rate: lr,
    betas,
    epsilon: eps,
    weightDecay: weight_decay,
  });
  await checkParameters(network, before, tensors, report);
  if (golden.loss_after_step !== undefined) {
    const { loss: after } = await stepper.run(batch, scale);
    compareLoss("train.loss after the step", after, golden.loss_after_step, report);
  }
}

/** Single questions, in the template where the reference's class puts them into one. */
function instructions(golden: TrainGolden): Example[] {
  const { instruction_input: inputs, answer, images, chat_template, prompt_template } = golden;
  return inputs.map((input, i) => {
    const prompt = chat_template ? prompt_template.replace("{}", () => input) : input;
    const rounds = [{ prompt, answer: answer[i]! }];
    return exampleOf(golden, `train[${i}]`, images[i]!, rounds);
  });
}

function conversations(golden: TrainGolden): Example[] {
  const { conv_q, conv_a, connect_sym, images } = golden.conversation!;
  return conv_q.map((asked, i) => {
    const answers = conv_a[i]!.split(connect_sym);
    const rounds = asked.split(connect_sym).map((text, k) => ({
      prompt: golden.prompt_template.replace("{}", () => text),
      answer: answers[k]!,
    }));
    return exampleOf(golden, `train.conversation[${i}]`, images[i]!, rounds);
  });
}

function exampleOf(
  { end_sym: endSymbol }: TrainGolden,
  place: string,
  image: number,
  rounds: Example["rounds"],
): Example {
  return { place, picture: String(image), rounds, endSymbol, maxAnswerTokens };
}

/** What is learnt, where it begins, and which positions are seen. */
function checkRows(
  rows: readonly Row[],
  golden: Partial<TrainGolden> & Pick<TrainGolden, "target_ids">,
  report: Report,
  kind = "train",
): void {
  const starts = rows.map(({ targets }) => targets[0]!.at + 1);
  const width = Math.max(...golden.target_ids.map(({ length }) => length));
  rows.forEach((row, i) => {
    const targets = Array<number>(width).fill(-100);
    for (const { at, token } of row.targets) targets[at + 1 - starts[i]!] = token;
    report.case(`${kind} targets`, `row ${i}`, targets, golden.target_ids[i]);
    const prompt = golden.input_lengths_without_bos?.[i];
    if (prompt !== undefined)
      report.case(`${kind} targets`, `row ${i}: prompt`, starts[i]! - 1, prompt);
    const mask = golden.attention_mask_without_bos?.[i];
    if (!mask) return;
    const seen = mask.map((_, at) =>
      at + 1 < row.positions.length && !row.unseen.has(at + 1) ? 1 : 0,
    );
    report.case(`${kind} targets`, `row ${i}: mask`, seen, mask);
  });
}

function compareLoss(stage: string, got: number, want: number, report: Report): void {
  report.stage(stage, Float32Array.of(got), Float32Array.of(want), tolerances.loss);
}

/** @returns the golden gradients, by our names */
async function checkGradients(
  { parameters, regime, config }: Network,
  gradients: ReadonlyMap<string, Float32Array>,
  tensors: GoldenTensors,
  report: Report,
): Promise<Map<string, Float32Array>> {
  const golden = new Map<string, Float32Array>();
  for (const parameter of parameters) {
    const key = stageKey(parameter.name, regime.lora !== undefined)!;
    const want = await tensors.get(`train.grad.${key}`);
    if (!want) continue;
    golden.set(parameter.name, want);
    const got = await published(parameter, gradients.get(parameter.name)!, config);
    const difference = got.map((value, i) => value - want[i]!);
    const distance = norm(difference) / norm(want);
    report.distance(`train.grad.${key}`, distance, tolerances.gradients);
  }
  return golden;
}

async function checkParameters(
  { parameters, regime, config }: Network,
  gradients: ReadonlyMap<string, Float32Array>,
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  for (const parameter of parameters) {
    const key = stageKey(parameter.name, regime.lora !== undefined)!;
    const want = await tensors.get(`train.after.${key}`);
    const gradient = gradients.get(parameter.name);
    if (!want || !gradient) continue;
    const got = await published(parameter, parameter.values, config);
    const far = got.findIndex((value, i) => {
      const isSmall = Math.abs(gradient[i]!) < smallGradient;
      const { parameters: most, parametersOfSmallGradients } = tolerances;
      return !(Math.abs(value - want[i]!) <= (isSmall ? parametersOfSmallGradients : most));
    });
    report.outcome(
      "train optimizer step",
      far < 0 ? undefined : `${key}[${far}]: want ${want[far]}, got ${got[far]}`,
    );
  }
}

/** Numbers of a parameter in the order of published files. */
async function published(
  { name, shape }: Parameter,
  values: Float32Array,
  { phi }: ModelConfig,
): Promise<Float32Array> {
  if (!name.endsWith(".qkv.loraB")) return values;
  return toInterleaved({ name, shape, load: async () => values }, phi.numHeads).load();
}

/** Euclidean. */
function norm(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}
