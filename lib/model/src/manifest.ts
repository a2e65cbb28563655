/** The schema of a converted model folder: `manifest.json`, written by convert and quantize, read by the runtime. */
import { z } from "zod";
import { modelConfigSchema } from "./config.ts";
import { parseJsonFile } from "./jsonFile.ts";
import { TinyGptvError } from "@tinygptv/protocol";

/** Name of the manifest in a model folder. */
export const manifestName = "manifest.json";
/** Version of the folder's layout; others are refused. */
export const formatVersion = 2;

/** The graphs of a model, in the order a request passes through them. */
export const components = ["vision", "qformer", "mapping", "phi"] as const;
export type Component = (typeof components)[number];

/** A path inside the model folder: forward slashes, no way out of it. */
export const relativePath = z
  .string()
  .refine(
    (path) => /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(path) && !path.split("/").includes(".."),
    { error: ({ input }) => `want a path inside the model folder, got ${JSON.stringify(input)}` },
  );

/** Of a model; part of addresses and paths. */
export const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
  error: ({ input }) =>
    `want up to 64 lower-case letters, digits, dots, dashes and underscores, a letter or digit first, got ${JSON.stringify(input)}`,
});

/** @throws TinyGptvError "parameter" for a name no model can have */
export function checkName(name: string): void {
  const { error } = nameSchema.safeParse(name);
  if (error)
    throw new TinyGptvError("parameter", `name: ${error.issues[0]!.message}`, { subject: "name" });
}

/** A file of a folder. */
export const fileSchema = z.strictObject({
  path: relativePath,
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const contentSchema = z.strictObject({
  formatVersion: z.literal(formatVersion, {
    error: ({ input }) =>
      `want version ${formatVersion}, got ${String(input)}: convert the model again with this version`,
  }),
  name: nameSchema,
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
  files: z.array(fileSchema),
  /** Checkpoint files the weights came from. */
  sources: z.array(z.strictObject({ role: z.string(), file: z.string(), bytes: z.number() })),
});

/** All of a manifest, its parts checked against each other. */
export const manifestSchema = contentSchema.superRefine(
  ({ defaultLevel, levels, files }, context) => {
    const complain = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (!Object.hasOwn(levels, defaultLevel))
      complain(
        "defaultLevel",
        `want one of ${Object.keys(levels).join(", ")}, got ${defaultLevel}`,
      );
    const paths = files.map(({ path }) => path);
    const twice = paths.find((path, i) => paths.indexOf(path) < i);
    if (twice !== undefined) complain("files", `want each file once, got ${twice} twice`);
  },
);
/** What is in a model folder. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * A manifest from its JSON.
 * @param path where the text came from, for messages
 * @throws TinyGptvError "model"
 */
export function parseManifest(text: string, path: string): Manifest {
  return parseJsonFile(text, path, manifestSchema, "model");
}
