/** What a training gave, in either of its forms, to be merged into a model or put beside it. */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { TrainedWeights } from "@tinygptv/convert";
import { exists, onDisk } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { readAdapter, weightNames } from "./peft.ts";
import { isLora } from "./published.ts";
import { readStageFile } from "./stageFile.ts";

/** Trained weights, and the file they came from. */
export interface Trained extends TrainedWeights {
  readonly source: { readonly file: string; readonly bytes: number };
}

/** Of the published stage files, which say their rank only. */
const published = { rank: 64, alpha: 16 };

/**
 * @param path an adapter folder, ours or PEFT's, or a stage file
 * @param numHeads of the language model
 * @param alpha of a stage file's LoRA, which the file does not say; the published one for the
 *   published rank unless given
 * @throws TinyGptvError "checkpoint" for damaged files, "layout" for what fits no TinyGPT-V,
 *   "parameter" where alpha is not known, "io" for the disk
 */
export async function readTrained(
  path: string,
  numHeads: number,
  alpha?: number,
): Promise<Trained> {
  const isFolder = (await onDisk(path, () => stat(path))).isDirectory();
  const read = isFolder ? await readAdapter(path, numHeads) : await ofStage(path, numHeads, alpha);
  const [current, older] = weightNames.map((name) => join(path, name)) as [string, string];
  const file = !isFolder ? path : (await exists(current)) ? current : older;
  const { size: bytes } = await onDisk(file, () => stat(file));
  const weights = read.parameters.map(({ name, shape, values }) => ({
    name,
    shape,
    load: async () => values,
  }));
  return { weights, alpha: read.alpha, source: { file: basename(file), bytes } };
}

async function ofStage(path: string, numHeads: number, given: number | undefined) {
  const parameters = await readStageFile(path, numHeads);
  const a = parameters.find((one) => isLora(one) && one.name.endsWith("A"));
  const rank = a?.shape[0];
  // Without LoRA there is nothing to scale.
  const alpha = given ?? (rank === undefined ? 1 : rank === published.rank ? published.alpha : 0);
  if (alpha > 0) return { parameters, alpha };
  throw new TinyGptvError(
    "parameter",
    `alpha: want that of the LoRA in ${path}, which has rank ${rank} and does not say it, got none`,
    { subject: "alpha" },
  );
}
