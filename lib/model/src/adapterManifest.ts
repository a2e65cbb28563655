/**
 * An adapter beside a model: what a training changed, chosen by request. It lies in a folder of
 * the model's, `adapters/NAME`, with `adapter.json` and graphs; written by convert, read by the runtime.
 */
import { z } from "zod";
import { fileSchema, nameSchema, relativePath } from "./manifest.ts";
import { parseJsonFile } from "./jsonFile.ts";

/** Folder of a model's adapters, in the model's own. */
export const adaptersFolder = "adapters";
/** Name of the manifest in an adapter's folder. */
export const adapterManifestName = "adapter.json";
/** Version of the folder's layout; others are refused. */
export const adapterFormatVersion = 1;

const adapterSchema = z.strictObject({
  formatVersion: z.literal(adapterFormatVersion, {
    error: ({ input }) =>
      `want version ${adapterFormatVersion}, got ${String(input)}: add the adapter again with this version`,
  }),
  /** Program and version that wrote the folder. */
  createdBy: z.string(),
  /** Of LoRA; undefined where only norms and maps were trained. */
  rank: z.number().int().positive().optional(),
  /** Graph with LoRA and norms of the language model as initializers, and nothing else. */
  phi: relativePath.optional(),
  /** The whole mapping module, where it was trained. */
  mapping: relativePath.optional(),
  /** Every file of the folder but this one. */
  files: z.array(fileSchema),
  /** What was trained, as it was read. */
  source: z.strictObject({ file: z.string(), bytes: z.number() }),
});
/** What is in an adapter's folder. */
export type AdapterManifest = z.infer<typeof adapterSchema>;

/**
 * An adapter's manifest from its JSON.
 * @param path where the text came from, for messages
 * @throws TinyGptvError "model"
 */
export function parseAdapterManifest(text: string, path: string): AdapterManifest {
  return parseJsonFile(text, path, adapterSchema, "model");
}

/** Whether a name is one that an adapter can have. */
export const isAdapterName = (name: string): boolean => nameSchema.safeParse(name).success;
