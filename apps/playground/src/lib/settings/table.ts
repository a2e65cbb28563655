/**
 * Every decoding parameter a person can turn. The inspector's controls, sweep
 * axes, limits, checks and what a cell says about itself all come from this table.
 */
import { decodingMethods } from "@tinygptv/protocol";
import type { DecodingMethod, DecodingParams } from "@tinygptv/protocol";
import { described, type ChoiceSetting, type NumberSetting, type Setting } from "./kinds.ts";

const number = (
  key: keyof DecodingParams,
  label: string,
  [min, max, step]: readonly [number, number, number],
  help: string,
  more = false,
): NumberSetting => ({
  kind: "number",
  ...described(key, label, help, more),
  min,
  max,
  step,
  integer: Number.isInteger(step),
});

const methods: Record<DecodingMethod, { label: string; help: string }> = {
  greedy: { label: "Greedy", help: "Always the most probable token." },
  sample: {
    label: "Sampling",
    help: "Draws tokens by their probability; the seed fixes the draw.",
  },
  beam: {
    label: "Beam search",
    help: "Follows several answers and keeps the most probable as a whole.",
  },
};

export const methodSetting: ChoiceSetting = {
  kind: "choice",
  ...described("method", "Method", "How the next token is chosen."),
  options: decodingMethods.map((value) => ({ value, ...methods[value] })),
};

const exampleSchema = `{
  "type": "object",
  "properties": {
    "object": { "type": "string", "maxLength": 40 },
    "count": { "type": "integer", "minimum": 0 }
  },
  "required": ["object", "count"]
}`;

export const settings: readonly Setting[] = [
  methodSetting,
  {
    kind: "seed",
    ...described("seed", "Seed", "The same seed gives the same answer; unlocked, one is drawn."),
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    integer: true,
  },
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
    "numBeams",
    "Beams",
    [2, 16, 1],
    "Answers followed side by side; the best as a whole wins.",
  ),
  number(
    "numReturnSequences",
    "Answers shown",
    [1, 16, 1],
    "How many of the finished beams come back; at most as many as there are beams.",
  ),
  number(
    "lengthPenalty",
    "Length penalty",
    [-2, 4, 0.1],
    "Score = sum of log-probabilities / length to this power. Above 0 favours long answers.",
  ),
  number("maxNewTokens", "Longest answer", [1, 1024, 1], "The answer is cut after so many tokens."),
  number("minNewTokens", "Shortest answer", [0, 256, 1], "No end before so many tokens."),
  number(
    "repetitionPenalty",
    "Repetition penalty",
    [0.5, 2, 0.01],
    "Above 1 makes tokens that were used less probable.",
  ),
  {
    kind: "texts",
    ...described(
      "stop",
      "Stop texts",
      "One a line. The answer ends before any of them, besides ###, which always ends it.",
    ),
    most: 8,
    longest: 256,
  },
  number(
    "minP",
    "Min p",
    [0, 1, 0.01],
    "Leave out tokens less probable than this share of the best one.",
    true,
  ),
  {
    kind: "choice",
    ...described("earlyStopping", "Stop early", "When a beam search ends.", true),
    options: [
      { value: true, label: "as soon as enough are finished" },
      { value: false, label: "when none can get better soon" },
      { value: "never", label: "when none can get better at all" },
    ],
  },
  number(
    "presencePenalty",
    "Presence penalty",
    [-2, 2, 0.1],
    "Subtracted once from tokens that were used.",
    true,
  ),
  number(
    "frequencyPenalty",
    "Frequency penalty",
    [-2, 2, 0.1],
    "Subtracted for every time a token was used.",
    true,
  ),
  number(
    "noRepeatNgramSize",
    "No repeated n-grams",
    [0, 16, 1],
    "No sequence of so many tokens occurs twice; 0 allows all.",
    true,
  ),
  {
    kind: "texts",
    ...described("badWords", "Bad words", "One a line. None of them occurs in the answer.", true),
    most: 256,
    longest: 256,
  },
  {
    kind: "biases",
    ...described(
      "logitBias",
      "Logit bias",
      "Added to a token’s logit: −100 forbids it, 100 forces it. Ids are shown under Tokens.",
      true,
    ),
    min: -100,
    max: 100,
    integer: false,
    most: 300,
  },
  number(
    "topLogprobs",
    "Alternatives per token",
    [0, 20, 1],
    "How many rivals of each token come back, for the heat map and for branching.",
    true,
  ),
  {
    kind: "schema",
    ...described(
      "jsonSchema",
      "JSON Schema",
      "The answer is JSON that is valid under it, and ends where that is complete.",
      true,
    ),
    longest: 65_536,
    example: exampleSchema,
  },
];

/** Parameters that are no settings of their own, and why. */
export const notSettings: Partial<Record<keyof DecodingParams, string>> = {
  logprobs: "follows from topLogprobs; notebooks always ask for them",
};

export const settingOf = (key: string): Setting | undefined =>
  settings.find((setting) => setting.key === key);

/** What goes with a method, besides the method itself. */
export const settingsFor = (method: DecodingMethod): Setting[] =>
  settings.filter((setting) => setting !== methodSetting && (setting.owner ?? method) === method);
