import type { DecodingParams } from "./parameters.ts";

/**
 * Settings of the reference: its two demos and its evaluation script. The
 * demos' further stop ids are numbers of another tokenizer and are left out.
 */
export const decodingPresets = {
  greedy: { method: "greedy" },
  demoStage3: {
    method: "sample",
    temperature: 1,
    topP: 0.9,
    topK: 50,
    repetitionPenalty: 1.05,
    maxNewTokens: 300,
  },
  demoStage4: {
    method: "sample",
    temperature: 0.6,
    topP: 0.9,
    topK: 50,
    repetitionPenalty: 1.05,
    maxNewTokens: 500,
  },
  evaluation: { method: "greedy", maxNewTokens: 20 },
} as const satisfies Record<string, DecodingParams>;
