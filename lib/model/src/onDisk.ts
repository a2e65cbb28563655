import { getSystemErrorMessage } from "node:util";
import { TinyGptvError } from "@tinygptv/protocol";

/** Makes what the disk refuses an `io` error that names the path. */
export async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof TinyGptvError) throw cause;
    const { errno, message } = cause as NodeJS.ErrnoException;
    const reason = errno === undefined ? message : getSystemErrorMessage(errno);
    throw new TinyGptvError("io", `${path}: ${reason}`, { subject: path, cause });
  }
}
