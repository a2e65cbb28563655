/** What running a cell needs from outside, and the small things its parts share. */
import { TinyGptvError, withEndMark } from "@tinygptv/protocol";
import type { DecodingParams, Engine } from "@tinygptv/protocol";
import { cellNamed, type Notebook } from "./document.ts";
import type { RunError } from "./output.ts";
import type { OutputOf } from "./references.ts";

/** The part of an engine notebooks need. */
export type NotebookEngine = Pick<Engine, "generate" | "score">;

/** What running a cell needs from where it runs. */
export interface RunContext {
  notebook: Notebook;
  engine: NotebookEngine;
  outputOf: OutputOf;
  /** Bytes of a picture cell's file. */
  readPicture: (file: string) => Promise<Uint8Array>;
  signal: AbortSignal;
  /** ISO time put into outputs. */
  now: () => string;
}

/** What notebooks show of every answer: each token's probability and its nearest rivals. */
export const inspection = { logprobs: true, topLogprobs: 5 };

/** A cell's decoding as it is asked. */
export const askedDecoding = (decoding: DecodingParams): DecodingParams =>
  withEndMark({ ...inspection, ...decoding });

export const callOptions = (
  model: string | undefined,
  signal: AbortSignal,
): { model?: string; signal: AbortSignal } => ({
  signal,
  ...(model !== undefined && { model }),
});

/** Bytes of a picture cell, by its name. @throws TinyGptvError "image" where it has no picture */
export async function pictureBytes(
  name: string,
  context: Pick<RunContext, "notebook" | "readPicture">,
): Promise<Uint8Array> {
  const cell = cellNamed(context.notebook, name);
  if (cell?.type !== "picture" || cell.file === "") {
    throw new TinyGptvError("image", `${name}: want a picture, the cell has none yet`, {
      subject: name,
    });
  }
  return context.readPicture(cell.file);
}

/** What a page or a report says about a failure; anything but our own error is a fault of the program. */
export function runError(error: unknown): RunError {
  if (error instanceof TinyGptvError) return { code: error.code, message: error.message };
  return { code: "engine", message: error instanceof Error ? error.message : String(error) };
}
