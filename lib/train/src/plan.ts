import type { DataSetSpec } from "./data/dataSets.ts";
import type { MixtureSpec } from "./data/mixture.ts";
import type { Wording } from "./data/wording.ts";
import type { Regime } from "./network.ts";
import type { Schedule } from "./schedule.ts";

/** What a training is. */
export interface TrainingPlan {
  /** Converted model: tokenizer, embeddings, the picture side; and what is frozen, in `level`. */
  readonly model: string;
  readonly level: string;
  /** Published files to go on training from, instead of the model's merged weights. */
  readonly checkpoint?: { readonly folder: string; readonly file?: string } | undefined;
  readonly data: readonly MixtureSpec[];
  /** What the model is held against meanwhile: what it is to learn, and what it is not to forget. */
  readonly evaluate: readonly EvaluationSpec[];
  readonly regime: Regime;
  readonly schedule: Schedule;
  readonly weightDecay: number;
  readonly betas: readonly [number, number];
  /** Gradients of so many batches are added up before a step; the reference does not divide them. */
  readonly accumulate: number;
  /** Gradients are scaled down to this norm; undefined leaves them, as the reference does. */
  readonly clip?: number | undefined;
  /** Rows of a batch that are run at once. */
  readonly rowsAtOnce: number;
  readonly recompute: boolean;
  /** Of frozen matrices. */
  readonly storage: "stored" | "float16";
  readonly seed: number;
  /** Steps between. */
  readonly evaluateEvery: number;
  readonly saveEvery: number;
  /** Saved states that stay. */
  readonly keep: number;
  /** Folder of the run. */
  readonly out: string;
  /** Goes on where the last saved state is; with `false` there must be none. */
  readonly resume: boolean;
  /** What the run was set to, to be saved with it. */
  readonly settings: unknown;
}

/** A data set that is evaluated on. */
export interface EvaluationSpec extends DataSetSpec {
  readonly wording: Wording;
  /** Examples at most, taken evenly. */
  readonly limit: number;
}
