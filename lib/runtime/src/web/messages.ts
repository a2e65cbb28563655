/** What a page and the worker with its models say to each other. */
import type { ModelInfo } from "@tinygptv/protocol";
import type { Call } from "../engine/messages.ts";
import type { CallNews } from "../engine/callee.ts";
import type { Fit } from "./fit.ts";

/** What models can run on in a page; `auto` is the GPU where it computes right and is faster, else WebAssembly. */
export type PageProvider = "auto" | "webgpu" | "wasm";

/** What the worker is told once, before anything else. */
export interface WorkerOptions {
  /** Addresses of converted model folders, whole. */
  models: readonly string[];
  /** Rows of a forward pass at most. */
  maxBatch: number;
  provider: PageProvider;
}

/** A level as a page has it. */
export interface PageLevel extends ModelInfo, Fit {
  /** Bytes to download for it in all, and how many of them are in this browser. */
  downloadBytes: number;
  keptBytes: number;
}

/** How far a download is. */
export interface LoadProgress {
  model: string;
  /** Bytes. */
  done: number;
  total: number;
}

export type ToWorker =
  | { type: "start"; options: WorkerOptions }
  | { type: "call"; id: number; call: Call }
  /** Downloads a level and opens it. */
  | { type: "load"; id: number; model: string | undefined }
  | { type: "levels"; id: number }
  | { type: "remove"; id: number; model: string }
  | { type: "cancel"; id: number };

export type FromWorker =
  | Extract<CallNews, { type: "event" | "error" }>
  | { type: "result"; id: number; value: unknown }
  | { type: "progress"; progress: LoadProgress }
  /** What it computes on failed; only another worker has another. */
  | { type: "lost"; because: string };
