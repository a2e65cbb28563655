/**
 * AdamW as PyTorch 2.0 computes it (torch/optim/adamw.py): decay apart from the gradient,
 * moments corrected for their start at zero, all of it stored in float32.
 */
import { stageKey } from "@tinygptv/convert";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Parameter } from "./parameter.ts";

/** What the optimizer remembers of one tensor. */
export interface Moments {
  /** Steps taken so far. */
  step: number;
  /** Running mean of the gradient. */
  readonly first: Float32Array;
  /** Running mean of its square. */
  readonly second: Float32Array;
}

/** The moments of all trained tensors, by name. Plain data: what is saved of it goes on bit for bit. */
export type AdamWState = ReadonlyMap<string, Moments>;

/** How a step of AdamW is taken. */
export interface AdamWOptions {
  /** Learning rate of this step. */
  readonly rate: number;
  /** How fast the mean and the square forget: 0.9 and 0.999 in the reference. */
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  /** Of those tensors that decay (`isDecayed`): 0.05 in the reference. */
  readonly weightDecay: number;
}

/** Before the first step. */
export function initialMoments(parameters: readonly Parameter[]): AdamWState {
  return new Map(
    parameters.map(({ name, values: { length } }) => [
      name,
      { step: 0, first: new Float32Array(length), second: new Float32Array(length) },
    ]),
  );
}

/**
 * One step; parameters and state are changed in place. A tensor without a gradient
 * is left alone, decay and step count included, as PyTorch does: a batch without
 * pictures reaches no mapping.
 * @param gradients by name of the parameter
 * @throws TinyGptvError "parameter" for a gradient of no parameter or of another length, and a parameter without moments
 */
export function adamWStep(
  parameters: readonly Parameter[],
  gradients: ReadonlyMap<string, Float32Array>,
  state: AdamWState,
  { rate, betas = [0.9, 0.999], epsilon = 1e-8, weightDecay }: AdamWOptions,
): void {
  expectFitting(parameters, gradients, state);
  for (const parameter of parameters) {
    const gradient = gradients.get(parameter.name);
    if (!gradient) continue;
    const moments = state.get(parameter.name)!;
    moments.step++;
    updateTensor(parameter.values, gradient, moments, {
      kept: 1 - rate * (isDecayed(parameter) ? weightDecay : 0),
      betas,
      epsilon,
      size: rate / (1 - betas[0] ** moments.step),
      correction: Math.sqrt(1 - betas[1] ** moments.step),
    });
  }
}

/** Whether weight decay acts on a tensor: the reference goes by dimensions and by parts of its published name. */
export function isDecayed({ name, shape }: Parameter): boolean {
  const published = stageKey(name, true) ?? name;
  return shape.length >= 2 && !["bias", "ln", "bn"].some((part) => published.includes(part));
}

interface TensorUpdate {
  /** What decay leaves of a value. */
  readonly kept: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Of the step, first moment corrected. */
  readonly size: number;
  /** Of the second moment's root. */
  readonly correction: number;
}

/** The factors are rounded to float32 as PyTorch's are; what is between them only where it is stored, which is twice as fast. */
function updateTensor(
  values: Float32Array,
  gradient: Float32Array,
  { first, second }: Moments,
  update: TensorUpdate,
): void {
  const { fround } = Math;
  const [beta1, beta2] = update.betas.map(fround) as [number, number];
  const [new1, new2] = update.betas.map((beta) => fround(1 - beta)) as [number, number];
  const [kept, epsilon] = [fround(update.kept), fround(update.epsilon)];
  const [size, correction] = [fround(update.size), fround(update.correction)];
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]!;
    const m = first[i]! * beta1 + g * new1;
    const v = second[i]! * beta2 + g * g * new2;
    first[i] = m;
    second[i] = v;
    values[i] = values[i]! * kept - (size * m) / (Math.sqrt(v) / correction + epsilon);
  }
}

function expectFitting(
  parameters: readonly Parameter[],
  gradients: ReadonlyMap<string, Float32Array>,
  state: AdamWState,
): void {
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  for (const [name, { length }] of gradients) {
    const values = known.get(name)?.values;
    if (values === undefined || values.length !== length)
      throw misfit(name, values ? `a gradient of ${values.length} numbers` : "no gradient", length);
  }
  for (const { name, values } of parameters) {
    const moments = state.get(name);
    if (moments?.first.length !== values.length || moments.second.length !== values.length)
      throw misfit(name, `moments of ${values.length} numbers`, moments?.first.length);
  }
}

const misfit = (name: string, want: string, length: number | undefined) =>
  new TinyGptvError("parameter", `${name}: want ${want}, got ${length ?? "none"}`, {
    subject: name,
  });
