/** Saves state after state until it is killed: `node saveForever.ts FOLDER`. Each one's numbers follow from its step. */
import { loadState, saveState } from "../trainingState.ts";
import { stateOfStep } from "./stateOfStep.ts";

const folder = process.argv[2]!;
const found = await loadState(folder);
for (let step = (found?.state.progress.step ?? 0) + 1; ; step++) {
  await saveState(folder, stateOfStep(step), 2);
  process.stdout.write(`${step}\n`);
}
