/**
 * A training from its first step to its last, on one page: what is trained, the batches,
 * the steps, how it does meanwhile, and what is kept of it.
 */
import { join } from "node:path";
import { readManifest } from "@tinygptv/model/disk";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import { graphsOf, openOn, openParts, threadsFor, type Execution } from "tinygptv/parts";
import { adamWStep, initialMoments, type AdamWState } from "./adamw.ts";
import { clipGradients } from "./clipping.ts";
import { openDataSet } from "./data/dataSets.ts";
import type { Example } from "./data/example.ts";
import { openMixture } from "./data/mixture.ts";
import { toExamples } from "./data/wording.ts";
import { openFeatures } from "./features.ts";
import { requireMemory } from "./memory.ts";
import { openNetwork, type Network, type WeightSource } from "./network.ts";
import { batchOf, encodeExample, type Row } from "./rows.ts";
import type { EvaluationSpec, TrainingPlan } from "./plan.ts";
import { loadState, saveState, type Progress } from "./saving/trainingState.ts";
import { learningRate } from "./schedule.ts";
import { fromCheckpoint, fromModel, openCheckpoint } from "./sources.ts";
import { openStepper, type Gradients, type Stepper } from "./step.ts";

/** How a model does on some examples, by teacher forcing. */
export interface Evaluation {
  readonly name: string;
  readonly examples: number;
  /** Mean of −log p over all answer tokens. */
  readonly loss: number;
  /** Examples whose every token is the most probable one. */
  readonly right: number;
}

/** What happens in a training, in its order. */
export type TrainingEvent =
  | {
      readonly type: "ready";
      readonly parameters: number;
      readonly steps: number;
      readonly from: number;
      readonly damaged: readonly string[];
    }
  | {
      readonly type: "step";
      readonly step: number;
      readonly loss: number;
      readonly rate: number;
      readonly norm: number;
      readonly tokens: number;
      readonly seconds: number;
    }
  | {
      readonly type: "evaluated";
      readonly step: number;
      readonly evaluations: readonly Evaluation[];
    }
  | { readonly type: "saved"; readonly step: number; readonly path: string };

/** What goes with one call of `train`. */
export interface TrainingRun {
  readonly execution?: Execution | undefined;
  /** On the processor; what suits the model unless given. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is waited for: the next step comes after it. */
  readonly onEvent?: ((event: TrainingEvent) => void | Promise<void>) | undefined;
  /** Ends after so many steps of this call, whatever the plan says: to see what they cost. */
  readonly atMost?: number | undefined;
}

/** What came of it. */
export interface TrainingResult {
  readonly network: Network;
  readonly moments: AdamWState;
  readonly step: number;
  readonly rate: number;
}

/**
 * Runs a plan to its end, or until `signal`; what was saved stays, and a later call goes on from there.
 * @throws TinyGptvError "data", "image", "prompt" naming file and line; "model", "checkpoint" for what is
 *   trained; "parameter" where a state is of another run, or where the loss is no number; "aborted"
 */
export async function train(
  plan: TrainingPlan,
  { execution, threads, signal, onEvent = () => {}, atMost = Infinity }: TrainingRun = {},
): Promise<TrainingResult> {
  const manifest = await readManifest(plan.model);
  const model = { folder: plan.model, manifest, files: graphsOf(manifest, plan.level) };
  const saved = await loadState(plan.out);
  if (saved && !plan.resume)
    throw new TinyGptvError(
      "parameter",
      `${plan.out}: want a folder without a training, or to go on with the one in it (resume), got one at step ${saved.state.progress.step}`,
      { subject: "resume" },
    );
  requireMemory(plan, manifest);
  const closers: (() => Promise<void>)[] = [];
  try {
    const parts = await openParts(model, ["tokenizer", "embeddings"], { prepacked: false });
    closers.push(parts.close);
    const { source, close } = await openSource(plan, model);
    const { seed, storage, regime } = plan;
    const network = await openNetwork(source, regime, { storage, seed }).finally(close);
    const features = await openFeatures(model, join(plan.out, "features"), { execution });
    closers.push(features.close);
    const stepper = await openStepper(network, {
      open: openOn(execution, threads ?? threadsFor(manifest.config)),
      recomputes: plan.recompute,
      picture: features.of,
      embeddings: parts.embeddings,
    });
    closers.push(stepper.close);
    const { numQueryTokens } = manifest.config.qformer;
    const encode = (example: Example) => encodeExample(example, parts.tokenizer, numQueryTokens);
    const mixture = await openMixture(plan.data, seed);
    const evaluations = await openEvaluations(plan.evaluate, encode);

    const moments = initialMoments(network.parameters);
    let progress: Progress = {
      step: 0,
      epoch: 0,
      seed,
      mixture: mixture.state(),
      bestLoss: null,
      settings: plan.settings,
    };
    if (saved) {
      takeOver(network, moments, saved.state, saved.path);
      ({ progress } = saved.state);
      await mixture.restore(progress.mixture);
    }
    const { epochs, stepsPerEpoch } = plan.schedule;
    const steps = epochs * stepsPerEpoch;
    const parameters = network.parameters.reduce((sum, { values }) => sum + values.length, 0);
    await onEvent({
      type: "ready",
      parameters,
      steps,
      from: progress.step,
      damaged: saved?.damaged ?? [],
    });

    const evaluate = async (step: number) => {
      if (evaluations.length === 0) return;
      const found: Evaluation[] = [];
      for (const one of evaluations) found.push(await score(stepper, one, plan.rowsAtOnce, signal));
      const losses = [...found.map(({ loss }) => loss), progress.bestLoss ?? Infinity];
      progress = { ...progress, bestLoss: Math.min(...losses) };
      await onEvent({ type: "evaluated", step, evaluations: found });
    };
    const save = async (step: number) => {
      const path = await saveState(
        plan.out,
        { parameters: network.parameters, moments, progress },
        plan.keep,
      );
      await onEvent({ type: "saved", step, path });
    };
    if (progress.step === 0) await evaluate(0);

    let rate = 0;
    const end = Math.min(steps, progress.step + atMost);
    for (let step = progress.step; step < end; step++) {
      throwIfAborted(signal);
      const began = performance.now();
      const epoch = Math.floor(step / stepsPerEpoch);
      rate = learningRate(plan.schedule, epoch, step % stepsPerEpoch);
      const gradients: Gradients = new Map();
      let [loss, tokens] = [0, 0];
      for (let batch = 0; batch < plan.accumulate; batch++) {
        const examples = await mixture.next();
        const found = await runInParts(stepper, examples.map(encode), plan, { seed, step, batch });
        loss += found.loss / plan.accumulate;
        tokens += found.tokens;
        addTo(gradients, found.gradients);
        requireNumber(found.loss, examples, step);
      }
      const norm = clipGradients(gradients.values(), plan.clip);
      requireNumber(norm, [], step);
      const { weightDecay, betas } = plan;
      adamWStep(network.parameters, gradients, moments, { rate, betas, weightDecay });
      const done = step + 1;
      progress = {
        ...progress,
        step: done,
        epoch: Math.floor(done / stepsPerEpoch),
        mixture: mixture.state(),
      };
      const seconds = (performance.now() - began) / 1000;
      await onEvent({ type: "step", step: done, loss, rate, norm, tokens, seconds });
      const isLast = done === steps;
      if (isLast || done % plan.evaluateEvery === 0) await evaluate(done);
      if (isLast || done % plan.saveEvery === 0) await save(done);
    }
    return { network, moments, step: progress.step, rate };
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function openSource(
  { checkpoint }: TrainingPlan,
  model: Parameters<typeof fromModel>[0],
): Promise<{ source: WeightSource; close(): Promise<void> }> {
  if (!checkpoint) return { source: await fromModel(model), close: async () => {} };
  const unmerged = await openCheckpoint(checkpoint);
  return { source: fromCheckpoint(unmerged), close: unmerged.close };
}

/** Loss and gradients of a batch, so many rows at a time: they add up to those of the whole. */
async function runInParts(
  stepper: Stepper,
  rows: readonly Row[],
  { rowsAtOnce }: TrainingPlan,
  { seed, step, batch }: { seed: number; step: number; batch: number },
) {
  const scale = 1 / batchOf(rows).targets;
  const gradients: Gradients = new Map();
  let [loss, tokens] = [0, 0];
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    const part = batchOf(rows.slice(at, at + rowsAtOnce));
    const place = { seed, step, part: batch * rows.length + at };
    const found = await stepper.run(part, scale, place);
    loss += found.loss;
    tokens += part.rows.reduce((sum, { positions }) => sum + positions.length, 0);
    addTo(gradients, found.gradients);
  }
  return { loss, tokens, gradients };
}

function addTo(sum: Gradients, more: Gradients): void {
  for (const [name, values] of more) {
    const before = sum.get(name);
    if (before) for (let i = 0; i < values.length; i++) before[i]! += values[i]!;
    else sum.set(name, values);
  }
}

/** What was saved takes the place of what training would begin with. */
function takeOver(
  { parameters }: Network,
  moments: AdamWState,
  saved: NonNullable<Awaited<ReturnType<typeof loadState>>>["state"],
  path: string,
): void {
  const values = new Map(saved.parameters.map((one) => [one.name, one]));
  for (const { name, shape, values: target } of parameters) {
    const found = values.get(name);
    if (found?.shape.join() !== shape.join())
      throw new TinyGptvError(
        "parameter",
        `${path}: want ${name} [${shape.join()}] to go on with, got ${found ? `[${found.shape.join()}]` : "none"}; the saved training is of another model or another regime`,
        { subject: name },
      );
    target.set(found.values);
    const [mine, theirs] = [moments.get(name)!, saved.moments.get(name)!];
    mine.step = theirs.step;
    mine.first.set(theirs.first);
    mine.second.set(theirs.second);
  }
}

/** A training whose loss is no number is lost from there on; what was saved before is not. */
function requireNumber(value: number, examples: readonly Example[], step: number): void {
  if (Number.isFinite(value)) return;
  const places = examples.map(({ place }) => place).join(", ");
  throw new TinyGptvError(
    "parameter",
    `step ${step + 1}: want a loss and gradients that are numbers, got ${value}${places && ` at ${places}`}; the state saved last is kept: go on from there with a lower rate`,
    { subject: "loss" },
  );
}

interface OpenEvaluation {
  readonly name: string;
  readonly rows: readonly Row[];
}

async function openEvaluations(
  specs: readonly EvaluationSpec[],
  encode: (example: Example) => Row,
): Promise<OpenEvaluation[]> {
  const open: OpenEvaluation[] = [];
  for (const { limit, wording, ...spec } of specs) {
    const set = await openDataSet(spec);
    if (set.kind !== "listed")
      throw new TinyGptvError(
        "data",
        `${spec.name}: want a data set whose examples can be counted to evaluate on, got shards`,
      );
    const count = Math.min(limit, set.length);
    const rows: Row[] = [];
    for (let i = 0; i < count; i++) {
      const sample = await set.sample(Math.floor((i * set.length) / count), () => 0);
      rows.push(...toExamples([sample], wording, () => 0).map(encode));
    }
    open.push({ name: spec.name, rows });
  }
  return open;
}

async function score(
  stepper: Stepper,
  { name, rows }: OpenEvaluation,
  rowsAtOnce: number,
  signal: AbortSignal | undefined,
): Promise<Evaluation> {
  let [sum, tokens, right] = [0, 0, 0];
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    throwIfAborted(signal);
    const part = rows.slice(at, at + rowsAtOnce);
    const { logProbabilities, better } = await stepper.score(batchOf(part));
    let from = 0;
    for (const { targets } of part) {
      const to = from + targets.length;
      for (const value of logProbabilities.subarray(from, to)) sum -= value;
      if (better.subarray(from, to).every((count) => count === 0)) right++;
      from = to;
    }
    tokens += from;
  }
  return { name, examples: rows.length, loss: sum / tokens, right };
}
