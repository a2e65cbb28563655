import { writeFile } from "node:fs/promises";
import type { TensorInput } from "../../../lib/convert/src/checkpoint/writing/chunks.ts";
import { safetensorsFile } from "../../../lib/convert/src/checkpoint/writing/safetensorsFile.ts";

/** Writes a safetensors file piece by piece; a file far larger than memory is fine. */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, TensorInput]>,
): Promise<void> {
  await writeFile(path, safetensorsFile(tensors));
}
