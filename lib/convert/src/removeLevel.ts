import type { Manifest } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { updateModelFolder } from "./modelFolder.ts";
import { sourceLevels } from "./quantizeModel.ts";

/**
 * Removes a level from a model folder, with the files that no other level has.
 * @returns the manifest as it is then
 * @throws TinyGptvError "model" where there is no such level, or the model needs it: its default,
 *   or the one that levels are made from; "conflict" where the folder changed meanwhile; "io"
 */
export async function removeLevel(folder: string, level: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const others = Object.keys(manifest.levels).filter((name) => name !== level);
  const refuse = (reason: string) =>
    new TinyGptvError("model", `${folder}: level: ${reason}`, { subject: level });
  if (!Object.hasOwn(manifest.levels, level))
    throw refuse(`want one of ${others.join(", ")}, got ${level}`);
  if (level === manifest.defaultLevel)
    throw refuse(
      `want another than ${level}, which is the model's default; convert again with another level first, or remove the model`,
    );
  const isSource = (name: string) => sourceLevels.includes(name);
  if (isSource(level) && !others.some(isSource))
    throw refuse(
      `want another than ${level}, from which other levels are made and against which they are compared`,
    );
  return updateModelFolder(folder, manifest, () => {
    const { [level]: _, ...levels } = manifest.levels;
    return Promise.resolve(levels);
  });
}
