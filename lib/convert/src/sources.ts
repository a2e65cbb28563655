/** The checkpoint files a conversion starts from: finding, opening, telling them apart. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { openWeights } from "./checkpoint/folder.ts";
import { shown } from "./checkpoint/untrusted.ts";
import type { WeightSource } from "./checkpoint/weightSource.ts";
import { TinyGptvError } from "@tinygptv/protocol";
import { list } from "./missing.ts";
import { unwrap } from "./wrappers.ts";
import { phiLayouts, type PhiLayout } from "./weightMap.ts";

/** Where the four published parts of a checkpoint are. */
export interface SourcePaths {
  /** Folder of the language model. */
  phi: string;
  /** `eva_vit_g.pth` */
  vision: string;
  /** `blip2_pretrained_flant5xxl.pth` */
  qformer: string;
  /** `TinyGPT-V_for_StageN.pth` */
  checkpoint: string;
}

export const sourceRoles = ["phi", "vision", "qformer", "checkpoint"] as const;
export type SourceRole = (typeof sourceRoles)[number];
export type Sources = Record<SourceRole, WeightSource>;

/** The later ones count where there is none of the earlier. */
const publishedNames = {
  phi: [/^phi-?2?$/i],
  vision: [/^eva_vit_g\.pth$/],
  qformer: [/^blip2_pretrained_flant5xxl\.pth$/],
  // The second: as the reference's own training saves an epoch, or the best one.
  checkpoint: [/^TinyGPT-V_for_Stage\d\.pth$/, /^checkpoint_(\d+|best)\.pth$/],
} satisfies Record<SourceRole, readonly RegExp[]>;

/**
 * Finds the published names in one folder.
 * @returns the paths found, and the settings file where there is one
 */
export async function findSources(
  folder: string,
  given: Partial<SourcePaths> = {},
): Promise<{ paths: SourcePaths; settings: string | undefined }> {
  const names = (
    await readdir(folder).catch((cause: Error) => {
      throw new TinyGptvError(
        "checkpoint",
        `${folder}: want a folder with the published files, got ${cause.message}`,
        { cause },
      );
    })
  ).toSorted();
  const paths: Partial<SourcePaths> = { ...given };
  for (const role of sourceRoles) {
    if (paths[role]) continue;
    const found = namesFor(role, names);
    if (found.length !== 1)
      throw new TinyGptvError(
        "checkpoint",
        found.length === 0
          ? `${folder}: want a ${role} named like ${publishedNames[role].map(({ source }) => source).join(" or ")}, got ${list(names) || "an empty folder"}; name it with --${role}`
          : `${folder}: want one ${role}, got ${list(found)}; choose with --${role}`,
        { subject: role },
      );
    paths[role] = join(folder, found[0]!);
  }
  const settings = names.includes("model.json") ? join(folder, "model.json") : undefined;
  return { paths: paths as SourcePaths, settings };
}

/** Those of the names that are published ones of a role. */
export function namesFor(role: SourceRole, names: readonly string[]): string[] {
  const found = publishedNames[role].map((form) => names.filter((name) => form.test(name)));
  return found.find((some) => some.length > 0) ?? [];
}

/** Opens one of the four; its keys are without the wrappers of training. */
export async function openPart(path: string): Promise<WeightSource> {
  const source = await openWeights(path);
  try {
    return unwrap(source, (keys) => recogniseKeys(keys) !== undefined);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Opens a stage file; anything else is a "layout" error. */
export async function openStageFile(path: string): Promise<WeightSource> {
  const source = await openPart(path);
  try {
    expectRole(source, "checkpoint");
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Opens all four; what one cannot be opened for closes the others. */
export async function openSources(paths: SourcePaths): Promise<Sources> {
  const opened: Partial<Sources> = {};
  try {
    for (const role of sourceRoles) {
      const source = await openPart(paths[role]);
      opened[role] = source;
      expectRole(source, role);
    }
    return opened as Sources;
  } catch (error) {
    await closeSources(opened);
    throw error;
  }
}

export async function closeSources(sources: Partial<Sources>): Promise<void> {
  await Promise.all(Object.values(sources).map((source) => source.close()));
}

/** File name and size of each source, for the manifest. */
export async function describeSources(paths: SourcePaths, sources: Sources) {
  return Promise.all(
    sourceRoles.flatMap((role) => {
      const files = new Set([...sources[role].tensors.values()].map(({ file }) => file));
      return [...files].toSorted().map(async (file) => ({
        role,
        file: basename(file),
        bytes: ((await stat(paths[role]).then((it) => it.isDirectory()))
          ? await stat(join(paths[role], basename(file)))
          : await stat(paths[role])
        ).size,
      }));
    }),
  );
}

interface Marker {
  /** What it can be converted as; nothing on its own where there is none. */
  readonly role: SourceRole | undefined;
  readonly key: RegExp;
  readonly what: string;
  /** Why it is not what is wanted. */
  readonly hint?: string;
}

/** A key that only one of the published files has. */
const markers: readonly Marker[] = [
  { role: "checkpoint", key: /^llama_(proj|model)\b/, what: "a TinyGPT-V stage file" },
  { role: "vision", key: /^blocks\.0\.attn\.qkv\.weight$/, what: "a vision transformer" },
  { role: "qformer", key: /^Qformer\.bert\./, what: "a Q-Former" },
  ...Object.values(phiLayouts).map(({ marker }) => ({
    role: "phi" as const,
    key: new RegExp(`^${marker.replaceAll(".", "\\.")}$`),
    what: "a Phi language model",
  })),
  {
    role: undefined,
    key: /^base_model\.model\..*\.lora_[AB]\./,
    what: "a PEFT adapter",
    hint: "it holds LoRA matrices alone; a stage file has the linear maps (llama_proj, llama_proj2) and the norms (q_layernorm, k_layernorm, post_layernorm) too: save the whole model's trained weights, torch.save(model.state_dict(), PATH)",
  },
];

/** What a checkpoint looks like by its keys, or undefined. */
export function recognise(source: WeightSource): Marker | undefined {
  return recogniseKeys([...source.tensors.keys()]);
}

function recogniseKeys(keys: readonly string[]): Marker | undefined {
  return markers.find(({ key }) => keys.some((name) => key.test(name)));
}

function expectRole(source: WeightSource, role: SourceRole): void {
  const found = recognise(source);
  if (found?.role === role) return;
  const want = markers.find((marker) => marker.role === role)!.what;
  const some = [...source.tensors.keys()].slice(0, 4).map(shown).join(", ");
  throw new TinyGptvError(
    "layout",
    `${source.path}: want ${want}, got ${found ? found.what : "none of the published files"} (${source.tensors.size} tensors: ${some}${source.tensors.size > 4 ? ", …" : ""})${found?.hint ? `: ${found.hint}` : ""}`,
    { subject: role },
  );
}

/** Which of the public layouts a language-model folder is in. */
export function detectPhiLayout(source: WeightSource): PhiLayout {
  const found = (Object.keys(phiLayouts) as PhiLayout[]).filter((layout) =>
    source.tensors.has(phiLayouts[layout].marker),
  );
  if (found.length === 1) return found[0]!;
  const wanted = Object.values(phiLayouts).map(({ marker }) => marker);
  throw new TinyGptvError(
    "layout",
    `${source.path}: want exactly one of ${wanted.join(", ")}, got ${found.length === 0 ? "none" : found.map((layout) => phiLayouts[layout].marker).join(" and ")}`,
  );
}
