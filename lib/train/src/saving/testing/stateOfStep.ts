import { initialMoments } from "../../adamw.ts";
import type { TrainingState } from "../trainingState.ts";

/** A state whose every number is its step's; 0.4 MB. */
export function stateOfStep(step: number): TrainingState {
  const parameters = ["mapping.fc1.weight", "mapping.fc2.weight"].map((name, i) => ({
    name,
    shape: [128, 128],
    values: new Float32Array(16_384).fill(step + i / 8),
  }));
  const moments = initialMoments(parameters);
  for (const each of moments.values()) {
    each.step = step;
    each.first.fill(-step);
    each.second.fill(step * step);
  }
  return {
    parameters,
    moments,
    progress: { step, epoch: 0, seed: 7, mixture: { drawn: step }, bestLoss: null, settings: {} },
  };
}
