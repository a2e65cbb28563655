/** What the server and a process that trains tell each other. */
import type { ErrorCode } from "@tinygptv/protocol";
import type { TrainingCost, TrainingEvent } from "@tinygptv/train";
import type { RunFile } from "./job.ts";

/** What a process is to do: look for mistakes in the rows, say what it would take, or train. */
export type Task =
  | { readonly kind: "check"; readonly run: RunFile }
  | { readonly kind: "estimate"; readonly run: RunFile; readonly scratch: string }
  | { readonly kind: "train"; readonly run: RunFile; readonly adapter: string };

/** What comes of each. */
export interface TaskResults {
  readonly check: { readonly mistakes: readonly string[] };
  readonly estimate: TrainingCost;
  readonly train: { readonly steps: number };
}

export interface WireError {
  /** Undefined for a fault of the program. */
  readonly code?: ErrorCode;
  readonly message: string;
  readonly subject?: string | undefined;
}

export type ToTraining =
  | { readonly type: "start"; readonly task: Task }
  | { readonly type: "stop" };

export type FromTraining =
  | { readonly type: "event"; readonly event: TrainingEvent }
  | { readonly type: "done"; readonly result: TaskResults[keyof TaskResults] }
  | { readonly type: "failed"; readonly error: WireError };
