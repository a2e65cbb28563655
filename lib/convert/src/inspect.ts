/** What a file or folder holds, read from names and shapes alone, and whether it can be converted. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TensorInfo, WeightSource } from "./checkpoint/weightSource.ts";
import { byteLength, manifestName } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import type { Manifest, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { checkConversion } from "./convert.ts";
import { contentOfSize, currentContent } from "./published.ts";
import {
  detectPhiLayout,
  findSources,
  namesFor,
  openPart,
  recognise,
  sourceRoles,
  type SourceRole,
} from "./sources.ts";
import type { PhiLayout } from "./weightMap.ts";

/** A checkpoint: one file, or a folder with one model in it. */
export interface InspectedWeights {
  path: string;
  role: SourceRole | undefined;
  /** What it is, in words. */
  what: string;
  /** Public layout of a language model. */
  layout: PhiLayout | undefined;
  bytes: number;
  tensors: TensorInfo[];
}

/** What a path was found to be. */
export type Inspection =
  | { kind: "model"; path: string; manifest: Manifest }
  | { kind: "weights"; weights: InspectedWeights; missing: SourceRole[] }
  | {
      kind: "checkpoint";
      path: string;
      weights: InspectedWeights[];
      missing: SourceRole[];
      /** Dimensions of the model a conversion would make. */
      config: ModelConfig | undefined;
      /** Why there would be none. */
      problem: string | undefined;
    };

/**
 * Looks at a checkpoint file, a language-model folder, a folder with the
 * published files, or a converted model. No tensor's bytes are read. In a folder
 * of published files a damaged one is described like the others.
 * @throws TinyGptvError `io`, `checkpoint` or `model` for what cannot be read.
 */
export async function inspect(path: string): Promise<Inspection> {
  const found = await stat(path).catch((cause: Error) => {
    throw new TinyGptvError("io", `${path}: want a file or a folder, got ${cause.message}`, {
      cause,
    });
  });
  const names = found.isDirectory() ? (await readdir(path)).toSorted() : [];
  if (names.includes(manifestName)) {
    return { kind: "model", path, manifest: await readManifest(path) };
  }
  if (sourceRoles.some((role) => namesFor(role, names).length > 0)) {
    return inspectFolder(path, names);
  }
  const weights = await inspectWeights(path);
  return { kind: "weights", weights, missing: sourceRoles.filter((role) => role !== weights.role) };
}

async function inspectFolder(path: string, names: readonly string[]): Promise<Inspection> {
  const files = sourceRoles.flatMap((role) => namesFor(role, names));
  const weights: InspectedWeights[] = [];
  for (const name of files) weights.push(await inspectAnyway(join(path, name)));
  const missing = sourceRoles.filter((role) => namesFor(role, names).length === 0);
  const { config, problem } = await tryConversion(path);
  return { kind: "checkpoint", path, weights, missing, config, problem };
}

/** One damaged file must not hide what the others are. */
async function inspectAnyway(path: string): Promise<InspectedWeights> {
  try {
    return await inspectWeights(path);
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    const what = `cannot be read: ${error.message}`;
    return { path, role: undefined, what, layout: undefined, bytes: 0, tensors: [] };
  }
}

async function tryConversion(folder: string) {
  try {
    const { paths, settings } = await findSources(folder);
    const config = await checkConversion({ sources: paths, ...(settings && { settings }) });
    return { config, problem: undefined };
  } catch (error) {
    if (error instanceof TinyGptvError) return { config: undefined, problem: error.message };
    throw error;
  }
}

async function inspectWeights(path: string): Promise<InspectedWeights> {
  const note = await publicationNote(path);
  const source = await openPart(path).catch((error: unknown) => {
    if (!(error instanceof TinyGptvError) || note === "") throw error;
    throw new TinyGptvError(error.code, `${error.message}${note}`, { cause: error });
  });
  try {
    const tensors = [...source.tensors.values()];
    const found = recognise(source);
    return {
      path,
      role: found?.role,
      what: `${found?.what ?? "none of the published files"}${note}`,
      layout: found?.role === "phi" ? layoutOf(source) : undefined,
      bytes: tensors.reduce((sum, { dtype, shape }) => sum + byteLength(dtype, shape), 0),
      tensors,
    };
  } finally {
    await source.close();
  }
}

/** The layout, or undefined where keys of several are mixed: a conversion would say so. */
function layoutOf(source: WeightSource): PhiLayout | undefined {
  try {
    return detectPhiLayout(source);
  } catch {
    return undefined;
  }
}

/** Of a file that was published once and should not be used: so much, by its size. */
async function publicationNote(path: string): Promise<string> {
  const found = await stat(path);
  const content = found.isFile() ? contentOfSize(found.size) : undefined;
  if (content?.not === undefined) return "";
  const now = currentContent(content.name)!;
  return ` (by its size of ${content.bytes} bytes ${content.not}; ${content.name} has ${now.bytes} bytes now: pull it again)`;
}
