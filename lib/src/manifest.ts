/** The schema of a converted model folder: `manifest.json`, written by convert and quantize, read by the runtime. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { modelConfigSchema } from "./config.ts";
import { TinyGptvError } from "./errors.ts";

export const manifestName = "manifest.json";
export const formatVersion = 1;

/** The graphs of a model, in the order a request passes through them. */
export const components = ["vision", "qformer", "mapping", "phi"] as const;
export type Component = (typeof components)[number];

/** A path inside the model folder: forward slashes, no way out of it. */
const relativePath = z
  .string()
  .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/)
  .refine((path) => !path.split("/").includes(".."));

export const manifestSchema = z.strictObject({
  formatVersion: z.literal(formatVersion),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  /** Whether anybody trained these weights; said wherever their output is shown. */
  weights: z.enum(["trained", "random", "fixture"]),
  /** Program and version that wrote the folder. */
  createdBy: z.string(),
  config: modelConfigSchema,
  /** Token embeddings, one row a token, looked up from the file. */
  embeddings: z.strictObject({ file: relativePath, dtype: z.enum(["float16", "float32"]) }),
  /** Folder with the tokenizer's files. */
  tokenizer: relativePath,
  defaultLevel: z.string(),
  /** Quantization level -> graph of each component; levels may share files. */
  levels: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/),
    z.record(z.enum(components), relativePath),
  ),
  /** Every file of the folder but this one. */
  files: z.array(
    z.strictObject({
      path: relativePath,
      bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  /** Checkpoint files the weights came from. */
  sources: z.array(z.strictObject({ role: z.string(), file: z.string(), bytes: z.number() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Reads and checks the manifest of a model folder. Errors have code "model". */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestName);
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const found = cause.code === "ENOENT" ? "no such file" : cause.message;
    throw new TinyGptvError(
      "model",
      `${folder}: want a converted model (a folder with ${manifestName}), got ${found}; make one with \`tinygptv convert\``,
      { cause },
    );
  });
  return parseManifest(text, path);
}

/** @param path where the text came from, for messages */
export function parseManifest(text: string, path: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TinyGptvError("model", `${path}: want JSON, got text that does not parse`, { cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success)
    throw new TinyGptvError("model", `${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
