import { TinyGptvError } from "@tinygptv/protocol";

/** What the disk refused, in words; the part that is there stays for the next try. Other errors as they are. */
export function diskError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof TinyGptvError || code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  const reason = code === "ENOSPC" ? "the disk is full" : message;
  return new TinyGptvError("io", `${path}: want to write, got: ${reason}`, { cause: error });
}
