import { TinyGptvError } from "@tinygptv/protocol";

/** The error of every reader here. @param at file and line, row or entry */
export function wrongData(at: string, want: string, got: string, cause?: unknown): TinyGptvError {
  return new TinyGptvError("parameter", `${at}: want ${want}, got ${got}`, { subject: at, cause });
}
