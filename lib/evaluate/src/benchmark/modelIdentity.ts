/** What is known of a model in a folder, for results. */
import { createHash } from "node:crypto";
import { readAdapterManifest, readManifest } from "@tinygptv/model/disk";
import { adapterId } from "@tinygptv/protocol";
import type { ModelInfo } from "@tinygptv/protocol";
import { graphsOf, runtimeVersion } from "tinygptv/parts";
import type { RunSettings } from "./runFolder.ts";

/** What answers, as results name it. */
export interface RunIdentity {
  model: RunSettings["model"];
  /** Of what computes. */
  versions: Record<string, string>;
}

/** A loaded level of a folder as results name it, with a hash over all files it consists of, those of the adapter beside it too. */
export async function identify(
  folder: string,
  { name, level, adapter, weights, executionProvider, execution }: ModelInfo,
): Promise<RunIdentity> {
  const manifest = await readManifest(folder);
  const graphs = new Set(
    Object.values(graphsOf(manifest, level)).flatMap((file) => [file, `${file}.data`]),
  );
  const hash = createHash("sha256");
  for (const { path, sha256 } of manifest.files)
    if (graphs.has(path) || !/\.onnx(\.data)?$/.test(path)) hash.update(`${sha256} ${path}\n`);
  const beside =
    adapter === undefined ? undefined : (await readAdapterManifest(folder, adapter)).manifest;
  for (const { path, sha256 } of beside?.files ?? []) hash.update(`${sha256} adapter/${path}\n`);
  return {
    model: {
      name: adapter === undefined ? name : adapterId(name, adapter),
      level,
      weights,
      sha256: hash.digest("hex"),
      ...(executionProvider !== undefined && { provider: executionProvider }),
      ...(execution !== undefined && { execution }),
    },
    versions: runtimeVersion === undefined ? {} : { onnxruntime: runtimeVersion },
  };
}
