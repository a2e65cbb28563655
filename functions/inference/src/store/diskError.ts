import { TinyGptvError } from "@tinygptv/protocol";

/** What people can act on; other codes are shown as they are. */
const reasons: Record<string, string> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EMFILE: "too many open files",
  EIO: "the disk failed",
  ENOENT: "its folder is gone",
  ENOTDIR: "its folder is a file",
  ESTALE: "its folder was mounted anew",
};

/** An error of the disk as "io", told by key so that no path leaks; other errors as they are. */
export function diskError(action: string, subject: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof TinyGptvError || !(error instanceof Error) || typeof code !== "string")
    return error;
  const reason = reasons[code];
  return new TinyGptvError(
    "io",
    `store: cannot ${action} ${subject}: ${reason ? `${reason} (${code})` : code}`,
    { subject, cause: error },
  );
}

/** Runs an operation on the disk and names its errors. */
export async function onDisk<T>(
  action: string,
  subject: string,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw diskError(action, subject, error);
  }
}
