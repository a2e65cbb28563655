/** What a conversion or a quantization is going to write, said before it writes anything. */
import type { LevelFile } from "./levels.ts";
import type { FolderWriter } from "./modelFolder.ts";

/** What will be written, and what that takes. */
export interface WritePlan {
  /** By path in the model folder, with the levels that use it; the weights of a graph lie beside it. */
  files: { path: string; bytes: number; levels: readonly string[] }[];
  /** Of all files, about. */
  bytes: number;
  /** Bytes of disk space needed until the work is done: some is done in files that go again. */
  space: number;
  /** Bytes free on the disk. */
  free: number;
  /** Seconds it will take, about. */
  seconds: number;
}

/** Bytes of float32 weights dealt with a second: read, put together, rounded, written (docs/conversion.md has the measurement). */
const perSecond = 100e6;
/** The same while a graph is run to see how to round it. */
const lookedAtPerSecond = 40e6;

/**
 * @param files graphs to be written
 * @param others what else is, in the form it has
 * @throws TinyGptvError "io" where the disk has too little room
 */
export async function makePlan(
  folder: FolderWriter,
  files: readonly LevelFile[],
  others: WritePlan["files"] = [],
): Promise<WritePlan> {
  const graphs = files.map(({ path, bytes: size, levels }) => ({ path, bytes: size, levels }));
  const written = [...others, ...graphs];
  const bytes = sum(written.map((file) => file.bytes));
  const space = bytes + Math.max(0, ...files.map(({ scratchBytes }) => scratchBytes));
  const free = await folder.requireSpace(space);
  const lookedAt = files.filter(({ scratchBytes }) => scratchBytes > 0);
  const seconds =
    sum([...others.map((file) => file.bytes), ...files.map(({ float32Bytes }) => float32Bytes)]) /
      perSecond +
    sum(lookedAt.map(({ float32Bytes }) => float32Bytes)) / lookedAtPerSecond;
  return { files: written, bytes, space, free, seconds };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
