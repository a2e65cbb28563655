import type { WritePlan } from "@tinygptv/convert";
import { copyBytes } from "tinygptv";
import { formatBytes, formatSeconds, note, table } from "../terminal/output.ts";

/**
 * Says what will be written, before anything is.
 * @param copied levels that get copies for this machine afterwards
 */
export function showPlan(plan: WritePlan, copied: readonly string[]): void {
  const { files, bytes, space, free, seconds } = plan;
  note(table(files.map(({ path, bytes: size }) => [path, formatBytes(size)])));
  const scratch = space > bytes ? `, ${formatBytes(space - bytes)} more while it works` : "";
  note(`to write: ${formatBytes(bytes)}${scratch}; free on the disk: ${formatBytes(free)}`);
  const copies = files
    .filter(({ levels }) => levels.some((level) => copied.includes(level)))
    .reduce((sum, file) => sum + copyBytes(file.bytes), 0);
  if (copies > 0)
    note(`then about ${formatBytes(copies)} of copies for this machine (--no-copies: none)`);
  note(`about ${formatSeconds(seconds)} on two cores`);
}
