import { join } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { manifestName, parseManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { readText, whatWasRead } from "./readText.ts";

/** Reads and checks the manifest of a model folder. Errors have code "model". */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  const text = await readText(path).catch((cause: unknown) => {
    throw new TinyGptvError(
      "model",
      `${folder}: want a converted model (a folder with ${manifestName}), got ${whatWasRead(cause)}; make one with \`tinygptv convert\``,
      { cause },
    );
  });
  return parseManifest(text, path);
}
