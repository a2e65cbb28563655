/** What is compared: levels, and the reference level with one component of another. */
import { components } from "@tinygptv/model";
import { readAdapterManifest, readManifest, splitFolder } from "@tinygptv/model/disk";
import type { Component, Manifest } from "@tinygptv/model";
import { TinyGptvError, adapterId } from "@tinygptv/protocol";
import { graphsOf, listedAdapter, type ListedAdapter } from "tinygptv/parts";
import type { AnsweringModel } from "./parts.ts";

export interface Subject extends AnsweringModel {
  /** `nano:int4`, with `+greetings` for an adapter beside it, or `nano:fp32 + phi int4-b128` where only one component is another level's. */
  readonly name: string;
  /** Sizes of its graphs, and of the adapter's files, in bytes. */
  readonly bytes: number;
}

export interface Subjects {
  readonly reference: Subject;
  readonly levels: readonly Subject[];
  /** One per component file that is not the reference's. */
  readonly modules: readonly Subject[];
}

/**
 * @param models folders, or `folder:level` for single levels, and `+adapter` for one beside
 * them; the first folder's float32 level (or else its float16 one), alone, is the reference
 * Errors: "model" for folders that cannot be compared, "parameter" for unknown levels.
 */
export async function findSubjects(models: readonly string[]): Promise<Subjects> {
  const parsed = await Promise.all(models.map(parseModel));
  const [first] = parsed;
  if (!first) throw new TinyGptvError("parameter", "models: want at least one, got none");
  const best = ["fp32", "fp16"].find((level) => level in first.manifest.levels);
  if (!best)
    throw new TinyGptvError(
      "model",
      `${first.folder}: want the level fp32 or fp16 to compare with, got ${Object.keys(first.manifest.levels).join(", ")}`,
    );
  const reference = subject(first.folder, first.manifest, best);
  const levels = parsed.flatMap(({ folder, manifest, level, adapter }) => {
    requireLike(reference.manifest, manifest, folder);
    const wanted = level === undefined ? Object.keys(manifest.levels) : [level];
    return wanted
      .filter((name) => adapter || folder !== reference.folder || name !== best)
      .map((name) => subject(folder, manifest, name, adapter));
  });
  return { reference, levels, modules: modulesOf(reference, levels) };
}

interface ParsedModel {
  folder: string;
  manifest: Manifest;
  level: string | undefined;
  adapter: ListedAdapter | undefined;
}

async function parseModel(argument: string): Promise<ParsedModel> {
  const { folder: named, adapter: name } = await splitFolder(argument);
  const match = /^(.+):([a-z0-9][a-z0-9_-]*)$/.exec(named);
  const [folder, level] = match ? [match[1]!, match[2]] : [named, undefined];
  const manifest = await readManifest(folder);
  const adapter =
    name === undefined
      ? undefined
      : listedAdapter(name, (await readAdapterManifest(folder, name)).manifest);
  if (level !== undefined && !Object.hasOwn(manifest.levels, level))
    throw new TinyGptvError(
      "parameter",
      `${folder}: level: want one of ${Object.keys(manifest.levels).join(", ")}, got ${level}`,
      { subject: level },
    );
  return { folder, manifest, level, adapter };
}

function subject(
  folder: string,
  manifest: Manifest,
  level: string,
  adapter?: ListedAdapter,
): Subject {
  const files = graphsOf(manifest, level);
  const id = `${manifest.name}:${level}`;
  return {
    name: adapter ? adapterId(id, adapter.name) : id,
    adapter: adapter?.name,
    folder,
    manifest,
    files,
    bytes: size(manifest, files) + (adapter?.bytes ?? 0),
  };
}

/** The reference with one file of another level of the same folder: what that file alone changes. */
function modulesOf(reference: Subject, levels: readonly Subject[]): Subject[] {
  const { folder, manifest, files, name } = reference;
  const modules = new Map<string, Subject>();
  for (const component of components)
    for (const level of levels) {
      const file = level.files[component];
      if (level.folder !== folder || file === files[component] || level.adapter) continue;
      const mixed = { ...files, [component]: file };
      const form = file.replace(/^.*\/|\.onnx$/g, "");
      modules.set(file, {
        name: `${name} + ${component} ${form}`,
        folder,
        manifest,
        files: mixed,
        bytes: size(manifest, mixed),
      });
    }
  return [...modules.values()];
}

/** Answers can only be compared token by token where tokens and positions mean the same. */
function requireLike(reference: Manifest, manifest: Manifest, folder: string): void {
  const shape = ({ config }: Manifest) =>
    [config.phi.vocabSize, config.phi.width, config.qformer.numQueryTokens].join(", ");
  if (shape(reference) !== shape(manifest))
    throw new TinyGptvError(
      "model",
      `${folder}: want the reference's vocabulary, width and queries (${shape(reference)}), got ${shape(manifest)}`,
    );
}

function size(manifest: Manifest, files: Readonly<Record<Component, string>>): number {
  const used = new Set(Object.values(files).flatMap((file) => [file, `${file}.data`]));
  return manifest.files.reduce((sum, { path, bytes }) => sum + (used.has(path) ? bytes : 0), 0);
}
