/**
 * Every decoding parameter a person can turn: the inspector's controls, sweep
 * axes, their limits and the checks of what is typed all come from this table.
 */
import {
  decodingDefaults,
  decodingPresets,
  methodParams,
  type DecodingMethod,
  type DecodingParams,
} from "tinygptv/protocol";

import { inspection } from "tinygptv/notebook";

export interface NumberSetting {
  kind: "number";
  key: keyof DecodingParams & keyof typeof decodingDefaults;
  label: string;
  min: number;
  max: number;
  step: number;
  integer: boolean;
  help: string;
}

const number = (
  key: NumberSetting["key"],
  label: string,
  [min, max, step]: readonly [number, number, number],
  help: string,
): NumberSetting => ({
  kind: "number",
  key,
  label,
  min,
  max,
  step,
  integer: Number.isInteger(step),
  help,
});

/** What a parameter is in a notebook where a cell does not say. */
export const fallbacks: DecodingParams = { ...decodingDefaults, ...inspection };

export const numberSettings: readonly NumberSetting[] = [
  number("maxNewTokens", "Longest answer", [1, 1024, 1], "The answer is cut after so many tokens."),
  number("minNewTokens", "Shortest answer", [0, 256, 1], "No end before so many tokens."),
  number(
    "temperature",
    "Temperature",
    [0.1, 2, 0.05],
    "Above 1 the choice gets wilder, below 1 tamer.",
  ),
  number("topK", "Top k", [0, 200, 1], "Choose among the k most probable tokens; 0 means all."),
  number(
    "topP",
    "Top p",
    [0.05, 1, 0.01],
    "Choose among the fewest tokens that together reach this probability.",
  ),
  number(
    "minP",
    "Min p",
    [0, 1, 0.01],
    "Leave out tokens less probable than this share of the best one.",
  ),
  number(
    "numBeams",
    "Beams",
    [2, 16, 1],
    "Answers followed side by side; the best as a whole wins.",
  ),
  number(
    "lengthPenalty",
    "Length penalty",
    [-2, 4, 0.1],
    "Score = sum of log-probabilities / length to this power. Above 0 favours long answers.",
  ),
  number(
    "numReturnSequences",
    "Answers shown",
    [1, 16, 1],
    "How many of the finished beams come back; at most as many as there are beams.",
  ),
  number(
    "repetitionPenalty",
    "Repetition penalty",
    [0.5, 2, 0.01],
    "Above 1 makes tokens that were used less probable.",
  ),
  number(
    "presencePenalty",
    "Presence penalty",
    [-2, 2, 0.1],
    "Subtracted once from tokens that were used.",
  ),
  number(
    "frequencyPenalty",
    "Frequency penalty",
    [-2, 2, 0.1],
    "Subtracted for every time a token was used.",
  ),
  number(
    "noRepeatNgramSize",
    "No repeated n-grams",
    [0, 16, 1],
    "No sequence of so many tokens occurs twice; 0 allows all.",
  ),
  number(
    "topLogprobs",
    "Alternatives per token",
    [0, 20, 1],
    "How many rivals of each token come back, for the heat map and for branching.",
  ),
];

export const methods: readonly { key: DecodingMethod; label: string; help: string }[] = [
  { key: "greedy", label: "Greedy", help: "Always the most probable token." },
  {
    key: "sample",
    label: "Sampling",
    help: "Draws tokens by their probability; the seed fixes the draw.",
  },
  {
    key: "beam",
    label: "Beam search",
    help: "Follows several answers and keeps the most probable as a whole.",
  },
];

export const presets: readonly { key: string; label: string; decoding: DecodingParams }[] = [
  { key: "greedy", label: "Greedy", decoding: decodingPresets.greedy },
  { key: "demoStage4", label: "Stage 4 demo", decoding: decodingPresets.demoStage4 },
  { key: "demoStage3", label: "Stage 3 demo", decoding: decodingPresets.demoStage3 },
  { key: "evaluation", label: "Evaluation", decoding: decodingPresets.evaluation },
  {
    key: "beam",
    label: "Three beams",
    decoding: { method: "beam", numBeams: 3, numReturnSequences: 3 },
  },
];

/** Seeds are drawn from here: short enough to read out. */
export const maxSeed = 999_999;

export const settingOf = (key: string): NumberSetting | undefined =>
  numberSettings.find((setting) => setting.key === key);

/** Which method a parameter belongs to, undefined where it goes with all. */
export function ownerOf(key: string): DecodingMethod | undefined {
  const entry = Object.entries(methodParams).find(([, keys]) =>
    (keys as readonly string[]).includes(key),
  );
  return entry?.[0] as DecodingMethod | undefined;
}

export const settingsFor = (method: DecodingMethod): NumberSetting[] =>
  numberSettings.filter(({ key }) => (ownerOf(key) ?? method) === method);

export const methodOf = (decoding: DecodingParams): DecodingMethod =>
  decoding.method ??
  (["beam", "sample"] as const).find((method) =>
    methodParams[method].some((key) => key in decoding),
  ) ??
  "greedy";

/** The method changed: parameters of other methods go, all others stay. */
export function withMethod(decoding: DecodingParams, method: DecodingMethod): DecodingParams {
  const kept = Object.entries(decoding).filter(
    ([key]) => key !== "method" && (ownerOf(key) ?? method) === method,
  );
  return { method, ...Object.fromEntries(kept) };
}

/** A parameter changed; its default is not written down. */
export function withValue(
  decoding: DecodingParams,
  key: keyof DecodingParams,
  value: DecodingParams[typeof key],
): DecodingParams {
  const { [key]: _old, ...rest } = decoding;
  const isDefault = value === undefined || value === fallbacks[key];
  return isDefault ? rest : { ...rest, [key]: value };
}

/** Why a typed number is not accepted, or undefined. */
export function complaint(setting: NumberSetting, value: number): string | undefined {
  if (!Number.isFinite(value)) return `${setting.label}: want a number`;
  if (setting.integer && !Number.isInteger(value)) return `${setting.label}: want a whole number`;
  if (value < setting.min || value > setting.max)
    return `${setting.label}: want ${setting.min} to ${setting.max}, got ${value}`;
  return undefined;
}

/** `sampling, temperature 0.8, seed 7`: what differs from the defaults, in words. */
export function describeDecoding(decoding: DecodingParams): string {
  const method = methodOf(decoding);
  const parts = Object.entries(decoding)
    .filter(([key, value]) => key !== "method" && key !== "logprobs" && value !== undefined)
    .map(
      ([key, value]) =>
        `${(settingOf(key)?.label ?? key).toLowerCase()} ${Array.isArray(value) ? value.join(" ") : String(value)}`,
    );
  return [methods.find(({ key }) => key === method)?.label.toLowerCase() ?? method, ...parts].join(
    " · ",
  );
}
