import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TinyGptvError, splitId } from "@tinygptv/protocol";
import {
  adapterManifestName,
  adaptersFolder,
  isAdapterName,
  parseAdapterManifest,
} from "./adapterManifest.ts";
import type { AdapterManifest } from "./adapterManifest.ts";
import { onDisk } from "./onDisk.ts";
import { readText } from "./readText.ts";
import { exists } from "./scratchFolder.ts";

/** An adapter beside a model, as it lies on the disk. */
export interface StoredAdapter {
  readonly name: string;
  readonly folder: string;
  readonly manifest: AdapterManifest;
}

/** Names of the adapters beside a model; those being written are none yet. */
export async function adapterNames(modelFolder: string): Promise<string[]> {
  const folder = join(modelFolder, adaptersFolder);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const whole = await Promise.all(
    names.map(
      async (name) =>
        isAdapterName(name) && (await exists(join(folder, name, adapterManifestName))),
    ),
  );
  return names.filter((_, i) => whole[i]).toSorted();
}

/** A model as people name it by its folder, `FOLDER` or `FOLDER+NAME`. A folder whose own name has a plus in it is meant as it is. */
export async function splitFolder(argument: string): Promise<{ folder: string; adapter?: string }> {
  const { model, adapter } = splitId(argument);
  if (adapter === undefined || (await exists(argument))) return { folder: argument };
  return { folder: model, adapter };
}

/**
 * An adapter beside a model. What its files hold is not read.
 * @throws TinyGptvError "model" for one that is not there, naming those that are, and one whose manifest is damaged
 */
export async function readAdapterManifest(
  modelFolder: string,
  name: string,
): Promise<StoredAdapter> {
  const names = await adapterNames(modelFolder);
  if (!names.includes(name)) {
    const known = names.length > 0 ? `one of ${names.join(", ")}` : "none, as the model has none";
    throw new TinyGptvError("model", `adapter: want ${known}, got ${name}`, { subject: name });
  }
  const folder = join(modelFolder, adaptersFolder, name);
  const path = join(folder, adapterManifestName);
  const text = await onDisk(path, () => readText(path));
  return { name, folder, manifest: parseAdapterManifest(text, path) };
}
