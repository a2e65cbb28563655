/** Copies of a model's graphs for this machine, made at once: no first request has to wait for them. */
import { TinyGptvError } from "@tinygptv/protocol";
import { prepack } from "tinygptv";
import { formatBytes, formatSeconds } from "../terminal/output.ts";
import type { Progress } from "../terminal/progress.ts";

const float32Levels = ["fp32", "fp16"];

/** Which of the levels written get copies: not those in float32, which mostly are what others are made of. */
export const copiedOf = (levels: readonly string[]): string[] =>
  levels.filter((level) => !float32Levels.includes(level));

/** What has become of them. */
export type Copies = { bytes: number; seconds: number } | { bytes: 0; reason: string };

/** A model is as good without copies, so what keeps them from being made is told and fails nothing. */
export async function makeCopies(
  folder: string,
  levels: readonly string[],
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Copies> {
  const start = performance.now();
  try {
    const copies = await prepack(folder, {
      levels,
      signal,
      onProgress: ({ graph, done, total }) => progress.update(`copying ${graph}`, done, total),
    });
    const bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
    return { bytes, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    if (!(error instanceof TinyGptvError) || error.code === "aborted") throw error;
    return { bytes: 0, reason: error.message };
  } finally {
    progress.clear();
  }
}

/** In words; nothing where there was nothing to copy. */
export function describeCopies(copies: Copies): string | undefined {
  if ("reason" in copies)
    return `no copies for this machine, so that loading takes longer: ${copies.reason}`;
  if (copies.bytes === 0) return undefined;
  return `copies for this machine: ${formatBytes(copies.bytes)} in ${formatSeconds(copies.seconds)}`;
}
