import { z } from "zod";
import type { ParameterRow } from "../row.ts";

/** Signed 64 bit, as OpenAI has it; what JSON's numbers cannot tell apart is one seed. */
const seed = z
  .number()
  .min(-(2 ** 63))
  .max(2 ** 63)
  .refine(Number.isInteger, "want a whole number")
  .meta({ type: "integer" });

/** Parameters of method "sample". */
export const sampleRows = {
  seed: {
    schema: seed,
    drawn: true,
    http: "seed",
    label: "Seed",
    help: "The same seed gives the same answer; where there is none, one is drawn and told.",
    control: { kind: "seed", min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  },
  temperature: {
    // Below, scores leave the range of float32.
    schema: z.union([z.literal(0), z.number().min(0.001).max(100)]),
    default: 1,
    http: "temperature",
    label: "Temperature",
    help: "Above 1 the choice gets wilder, below 1 tamer; at 0 it is always the most probable token.",
    control: { kind: "number", min: 0, max: 2, step: 0.05 },
  },
  topK: {
    schema: z.number().int().min(0).max(100_000),
    default: 50,
    http: "top_k",
    label: "Top k",
    help: "Choose among the k most probable tokens; 0 means all.",
    control: { kind: "number", min: 0, max: 200, step: 1 },
  },
  topP: {
    schema: z.number().min(0).max(1),
    default: 1,
    http: "top_p",
    label: "Top p",
    help: "Choose among the fewest tokens that together reach this probability.",
    control: { kind: "number", min: 0, max: 1, step: 0.01 },
  },
  minP: {
    schema: z.number().min(0).max(1),
    default: 0,
    http: "min_p",
    label: "Min p",
    help: "Leave out tokens less probable than this share of the best one.",
    control: { kind: "number", min: 0, max: 1, step: 0.01 },
    more: true,
  },
} as const satisfies Record<string, ParameterRow>;
