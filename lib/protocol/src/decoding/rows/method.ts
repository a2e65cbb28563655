import { z } from "zod";
import type { ParameterRow } from "../row.ts";

/** How the next token is found: the best one, one drawn by chance, or several continuations side by side. */
export const decodingMethods = ["greedy", "sample", "beam"] as const;
export type DecodingMethod = (typeof decodingMethods)[number];

/** Over HTTP it has no name: the other parameters say which it is. */
export const methodRows = {
  method: {
    schema: z.enum(decodingMethods),
    label: "Method",
    help: "How the next token is chosen; where it is not said, the other parameters say it.",
    control: {
      kind: "choice",
      options: [
        { value: "greedy", label: "Greedy", help: "Always the most probable token." },
        {
          value: "sample",
          label: "Sampling",
          help: "Draws tokens by their probability; the seed fixes the draw.",
        },
        {
          value: "beam",
          label: "Beam search",
          help: "Follows several answers and keeps the most probable as a whole.",
        },
      ],
    },
  },
} as const satisfies Record<string, ParameterRow>;
