import { readFile } from "node:fs/promises";

/**
 * The text of a UTF-8 file. A byte order mark, which some editors and shells put
 * first, is no part of it. Errors of the disk as they are.
 */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readFile(path));
}

const reasons: Record<string, string> = {
  ENOENT: "no such file",
  EISDIR: "a folder",
  EACCES: "a file that may not be read",
};

/** Why a file could not be read, in a few words: what was got instead of it. */
export function whatWasRead(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}
