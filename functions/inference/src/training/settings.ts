/** From a request to what a run of training is set to. */
import type { FineTuningRequest } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";
import { places, type RunFile } from "./job.ts";

/** The rate at which nano learns within some hundred steps. */
const usualRate = 1e-3;
/** Saved states that stay. */
export const keptStates = 2;
/** Answers of each set that are looked at meanwhile. */
const evaluated = 100;

/** The numbers of a run. */
export interface Hyperparameters {
  readonly epochs: number;
  readonly batch: number;
  readonly steps: number;
  readonly rate: number;
  readonly rank: number;
  /** Of all steps, those of what is replayed. */
  readonly replayShare: number;
  readonly seed: number;
}

/** @throws HttpError for what is at odds with itself */
export function hyperparametersOf(request: FineTuningRequest): Hyperparameters {
  const { hyperparameters, method, training_data: rows, replay_data: replay } = request;
  const given = { ...method?.supervised?.hyperparameters, ...hyperparameters };
  const number = (value: number | "auto" | undefined, usual: number) =>
    typeof value === "number" ? value : usual;
  if (given.steps !== undefined && given.n_epochs !== undefined)
    throw new HttpError("invalid_value", "steps: want steps or n_epochs, got both", {
      param: "hyperparameters.steps",
    });
  const share = given.replay_share ?? 0.5;
  if (given.replay_share !== undefined && !replay)
    throw new HttpError("invalid_value", "replay_share: want replay_data beside it, got none", {
      param: "hyperparameters.replay_share",
    });
  // A batch is of different rows.
  const batch = Math.min(number(given.batch_size, 8), rows.length, replay?.length ?? Infinity);
  const pass = Math.ceil(rows.length / batch / (replay ? 1 - share : 1));
  const steps = given.steps ?? number(given.n_epochs, 10) * pass;
  return {
    steps,
    epochs: Math.max(1, Math.round(steps / pass)),
    batch,
    rate: given.learning_rate ?? usualRate * number(given.learning_rate_multiplier, 1),
    rank: given.rank ?? 8,
    replayShare: share,
    seed: request.seed ?? 42,
  };
}

/** @param model folder of it @param folder of the job */
export function runFileOf(
  request: FineTuningRequest,
  { model, level, folder }: { model: string; level: string; folder: string },
): RunFile {
  const { steps, batch, rate, rank, replayShare, seed } = hyperparametersOf(request);
  const { rows, pictures, run } = places(folder);
  const set = (name: string) => ({ name, path: rows(name), images: pictures });
  const held = ["validation_data", "replay_data"] as const;
  const every = Math.max(1, Math.ceil(steps / 10));
  return {
    model,
    level,
    stage: 4,
    prompts: request.regime === "served" ? "served" : "training",
    lora: { rank, alpha: 2 * rank, dropout: 0 },
    data: [{ ...set("training_data"), batch }],
    ...(request.replay_data && {
      replay: {
        share: replayShare,
        data: [{ ...set("replay_data"), batch }],
      },
    }),
    steps,
    rate: {
      start: rate / 10,
      peak: rate,
      final: rate / 10,
      warmup: Math.min(10, Math.floor(steps / 10)),
    },
    seed,
    evaluate: { every, limit: evaluated, data: held.filter((name) => request[name]).map(set) },
    save: { every, keep: keptStates },
    out: run,
    resume: true,
  };
}
