import { z } from "zod";
import type { ParameterRow } from "../row.ts";

/** Parameters of method "beam". */
export const beamRows = {
  numBeams: {
    schema: z.number().int().min(1).max(16),
    default: 4,
    http: "num_beams",
    label: "Beams",
    help: "Answers followed side by side; the best as a whole wins.",
    control: { kind: "number", min: 2, max: 16, step: 1 },
  },
  numReturnSequences: {
    schema: z.number().int().min(1).max(16),
    default: 1,
    http: "n",
    label: "Answers shown",
    help: "How many of the finished beams come back; at most as many as there are beams.",
    control: { kind: "number", min: 1, max: 16, step: 1 },
  },
  lengthPenalty: {
    schema: z.number().min(-10).max(10),
    default: 1,
    http: "length_penalty",
    label: "Length penalty",
    help: "Score = sum of log-probabilities / length to this power. Above 0 favours long answers.",
    control: { kind: "number", min: -2, max: 4, step: 0.1 },
  },
  earlyStopping: {
    schema: z.union([z.boolean(), z.literal("never")]),
    default: false,
    http: "early_stopping",
    label: "Stop early",
    help: "When a beam search ends.",
    control: {
      kind: "choice",
      options: [
        { value: true, label: "as soon as enough are finished" },
        { value: false, label: "when none can get better soon" },
        { value: "never", label: "when none can get better at all" },
      ],
    },
    more: true,
  },
} as const satisfies Record<string, ParameterRow>;
