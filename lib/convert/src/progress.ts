/** How far a conversion is. */
import type { Component } from "@tinygptv/model";
import type { WritePlan } from "./plan.ts";

/** How far a conversion is. */
export interface ConvertProgress {
  component: Component | "embeddings";
  activity: "measuring" | "writing";
  /** Bytes dealt with and to be dealt with: of this component when measuring, of everything when writing. */
  done: number;
  total: number;
}

export interface RunOptions {
  /** Called once with what will be written, before anything is. */
  onPlan?: (plan: WritePlan) => void;
  /** Called as bytes are dealt with. */
  onProgress?: (progress: ConvertProgress) => void;
  signal?: AbortSignal;
}

/** Adds up what is reported. @param total bytes of everything that will be written */
export function createReporter({ onProgress }: RunOptions, { bytes: total }: WritePlan) {
  let done = 0;
  return {
    onWritten(component: ConvertProgress["component"], bytes: number): void {
      done = Math.min(total, done + bytes);
      onProgress?.({ component, activity: "writing", done, total });
    },
    onMeasured(component: Component, measured: number, all: number): void {
      onProgress?.({ component, activity: "measuring", done: measured, total: all });
    },
  };
}
