/** What a training takes of memory, by arithmetic, before anything is read. */
import { TinyGptvError } from "@tinygptv/protocol";
import type { Manifest } from "@tinygptv/model";
import type { TrainingPlan } from "./plan.ts";

/** Positions of a row that are reckoned with: a question, its picture and its answer. */
const usualPositions = 256;
/** Value, gradient and two moments. */
const perTrained = 16;
/** Layers at a time that ONNX Runtime holds in float32: widened weights, and what is in between. */
const layersInArena = 3;
/** Node, ONNX Runtime, the tokenizer. */
const base = 400e6;

/** About, in bytes. */
export function memoryWanted(plan: TrainingPlan, { config, levels, files }: Manifest): number {
  const { width: H, numLayers, mlpWidth: M, vocabSize: V } = config.phi;
  const layer = 4 * H * H + 2 * H * M;
  const floats = 4 * (numLayers * layer + H * V);
  const data = `${levels[plan.level]?.phi}.data`;
  const stored = files.find(({ path }) => path === data)?.bytes ?? floats;
  const whole = plan.checkpoint ? floats : stored;
  const frozen = plan.storage === "float16" && whole >= floats ? whole / 2 : whole;

  const rank = plan.regime.lora?.rank ?? 0;
  const lora = numLayers * rank * (H + 3 * H + H + H);
  const { width: D } = config.qformer;
  const maps = config.mapping.width * (D + H);
  const positions = plan.rowsAtOnce * usualPositions;
  const kept = plan.recompute ? H : 12 * H + 2 * M;
  return (
    base +
    frozen +
    perTrained * (lora + maps) +
    4 * layersInArena * layer +
    4 * positions * (kept * numLayers + V / 4)
  );
}

/** Whether keeping everything of a forward pass would take more than half of what is free; what is computed again is the same bit for bit. */
export function shouldRecompute(plan: TrainingPlan, manifest: Manifest): boolean {
  return memoryWanted({ ...plan, recompute: false }, manifest) > process.availableMemory() / 2;
}

/** @throws TinyGptvError "memory" where there is not enough, saying what would help */
export function requireMemory(plan: TrainingPlan, manifest: Manifest): void {
  const [wanted, had] = [memoryWanted(plan, manifest), process.availableMemory()];
  if (wanted <= had) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new TinyGptvError(
    "memory",
    `memory: want about ${gigabytes(wanted)} to train ${plan.model} at level ${plan.level}, got ${gigabytes(had)} free; a smaller level (int8, int4), frozen: float16, recompute: true or fewer rowsAtOnce take less`,
    { subject: plan.model },
  );
}
