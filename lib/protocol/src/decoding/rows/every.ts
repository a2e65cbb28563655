import { z } from "zod";
import { recordOf } from "../../record.ts";
import type { ParameterRow } from "../row.ts";

const texts = (most: number) => z.array(z.string().min(1).max(256)).max(most);

/** OpenAI's. */
const mostBiases = 300;

const exampleSchema = `{
  "type": "object",
  "properties": {
    "object": { "type": "string", "maxLength": 40 },
    "count": { "type": "integer", "minimum": 0 }
  },
  "required": ["object", "count"]
}`;

/** Parameters that go with every method. */
export const everyRows = {
  maxNewTokens: {
    schema: z.number().int().min(1).max(4096),
    default: 300,
    http: "max_tokens",
    label: "Longest answer",
    help: "The answer is cut after so many tokens.",
    control: { kind: "number", min: 1, max: 1024, step: 1 },
  },
  minNewTokens: {
    // End tokens are blocked before; a stop text spelled by other tokens still ends the answer.
    schema: z.number().int().min(0).max(4096),
    default: 0,
    http: "min_tokens",
    label: "Shortest answer",
    help: "No end before so many tokens.",
    control: { kind: "number", min: 0, max: 256, step: 1 },
  },
  repetitionPenalty: {
    // Of the answer (and the begin token); tokens of the prompt stay as they are.
    schema: z.number().min(0.01).max(10),
    default: 1,
    http: "repetition_penalty",
    label: "Repetition penalty",
    help: "Above 1 makes tokens that were used less probable.",
    control: { kind: "number", min: 0.5, max: 2, step: 0.01 },
  },
  stop: {
    schema: texts(16),
    default: ["###"],
    http: "stop",
    label: "Stop texts",
    help: "The answer ends before any of them; they never appear in it.",
    control: { kind: "texts", most: 8, longest: 256 },
  },
  presencePenalty: {
    schema: z.number().min(-2).max(2),
    default: 0,
    http: "presence_penalty",
    label: "Presence penalty",
    help: "Subtracted once from tokens that were used.",
    control: { kind: "number", min: -2, max: 2, step: 0.1 },
    more: true,
  },
  frequencyPenalty: {
    schema: z.number().min(-2).max(2),
    default: 0,
    http: "frequency_penalty",
    label: "Frequency penalty",
    help: "Subtracted for every time a token was used.",
    control: { kind: "number", min: -2, max: 2, step: 0.1 },
    more: true,
  },
  noRepeatNgramSize: {
    schema: z.number().int().min(0).max(64),
    default: 0,
    http: "no_repeat_ngram_size",
    label: "No repeated n-grams",
    help: "No sequence of so many tokens occurs twice; 0 allows all.",
    control: { kind: "number", min: 0, max: 16, step: 1 },
    more: true,
  },
  badWords: {
    schema: texts(256),
    default: [],
    http: "bad_words",
    label: "Bad words",
    help: "None of them occurs in the answer.",
    control: { kind: "texts", most: 256, longest: 256 },
    more: true,
  },
  logitBias: {
    schema: recordOf(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100), mostBiases),
    default: {},
    http: "logit_bias",
    label: "Logit bias",
    help: "Added to a token’s logit: −100 forbids it, 100 forces it.",
    control: { kind: "biases", min: -100, max: 100, most: mostBiases },
    more: true,
  },
  logprobs: {
    schema: z.boolean(),
    default: false,
    http: "logprobs",
    label: "Log-probabilities",
    help: "Every token of the answer comes with its log-probability.",
    control: { kind: "flag" },
    implied: "follows from topLogprobs; notebooks always ask for them",
  },
  topLogprobs: {
    schema: z.number().int().min(0).max(20),
    default: 0,
    http: "top_logprobs",
    label: "Alternatives per token",
    help: "How many rivals of each token come back, with their log-probabilities.",
    control: { kind: "number", min: 0, max: 20, step: 1 },
    more: true,
  },
  jsonSchema: {
    schema: z.string().max(65_536),
    http: "response_format",
    label: "JSON Schema",
    help: "The answer is JSON that is valid under it, and ends where that is complete.",
    control: { kind: "schema", longest: 65_536, example: exampleSchema },
    more: true,
  },
} as const satisfies Record<string, ParameterRow>;
