/** What can be listed, uploaded and fetched: models, pictures, notebooks, the server's state. */
import { z } from "zod";
import { recordOf } from "../record.ts";

/** `GET /v1/models/{id}`; `GET /v1/models` lists them, each name's default level first. */
export const modelObjectSchema = z
  .object({
    id: z.string().describe("name:level, and +adapter where it is one beside the level"),
    object: z.literal("model"),
    created: z.number().int().describe("Unix seconds since when this server serves it"),
    owned_by: z.literal("tinygpt-v"),
    name: z.string(),
    level: z.string().describe("Quantization level"),
    root: z
      .string()
      .describe("What it is of: the model's name, or the adapter's folder in the model's"),
    parent: z.string().nullable().describe("Of an adapter, the level that it is beside"),
    weights: z.enum(["trained", "random", "fixture"]),
    file_bytes: z.number().int(),
    memory_bytes: z.number().int(),
    context_length: z.number().int().describe("Longest text in positions, pictures included"),
    image_size: z.number().int().describe("Side of the square picture the model sees"),
    input_modalities: z.array(z.enum(["text", "image"])),
    output_modalities: z.array(z.literal("text")),
    loaded: z.boolean(),
    execution_provider: z
      .string()
      .nullable()
      .describe("What ONNX Runtime really runs on, once loaded: cpu, webgpu or cuda"),
    execution: z
      .string()
      .nullable()
      .describe("Why that, and on a GPU the forms of attention and numbers, once loaded"),
    integer_weights: z
      .enum(["signed", "unsigned"])
      .nullable()
      .describe(
        "How the picture encoder's 8-bit weights are multiplied, once loaded: unsigned where the processor (AVX2 without VNNI) would cut off sums of signed ones; as exact, but slower. Null for levels without",
      ),
    copies: z
      .enum(["ready", "making", "missing"])
      .nullable()
      .describe("Copies on the server's disk that make its next load quick; null before the first"),
  })
  .meta({ id: "Model" });
export type ModelObject = z.infer<typeof modelObjectSchema>;
/** `GET /v1/models` */
export const modelListSchema = z
  .object({ object: z.literal("list"), data: z.array(modelObjectSchema) })
  .meta({ id: "ModelList" });
export type ModelList = z.infer<typeof modelListSchema>;

/** Picture formats that can be sent, by content. */
export const imageTypes = [
  "image/png",
  "image/jpeg",
  "image/webp",
  "image/gif",
  "image/avif",
] as const;
export type ImageType = (typeof imageTypes)[number];

/**
 * `POST /v1/images` takes the picture's bytes (any body of an `image/*` or
 * `application/octet-stream` type) or a multipart form with one `file`. 201, or
 * 200 where the same picture is there already. `GET` returns the bytes.
 */
export const imageObjectSchema = z
  .object({
    id: z.string().describe("img_ and the sha256 of its bytes; usable wherever a picture's URL is"),
    object: z.literal("image"),
    created: z.number().int().describe("Unix seconds"),
    type: z.enum(imageTypes),
    bytes: z.number().int(),
    width: z.number().int(),
    height: z.number().int(),
  })
  .meta({ id: "Image" });
export type ImageObject = z.infer<typeof imageObjectSchema>;

/** `DELETE` answers; deleting what is not there is a 404. */
export const deletedSchema = z
  .object({ id: z.string(), object: z.string(), deleted: z.literal(true) })
  .meta({ id: "Deleted" });
export type Deleted = z.infer<typeof deletedSchema>;

/**
 * `POST /v1/notebooks` keeps a read-only copy under an id of its own, which
 * nobody can guess; who has the id can read it, without a key.
 */
export const notebookRequestSchema = z
  .strictObject({
    title: z.string().max(200).optional(),
    markdown: z.string().min(1).max(2_000_000).describe("The notebook's file"),
    files: recordOf(z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/), z.base64(), 4096)
      .optional()
      .describe("Its side folder: name -> content in base64"),
  })
  .meta({ id: "NotebookRequest" });
export type NotebookRequest = z.infer<typeof notebookRequestSchema>;
/** Ids of shared notebooks. */
export const notebookIdPattern = /^nb_[0-9a-f]{32}$/;
/** A shared notebook: `GET /v1/notebooks/{id}`. */
export const notebookObjectSchema = z
  .object({
    id: z.string(),
    object: z.literal("notebook"),
    created: z.number().int().describe("Unix seconds"),
    title: z.string(),
    markdown: z.string(),
    files: z.record(z.string(), z.string()),
  })
  .meta({ id: "Notebook" });
export type NotebookObject = z.infer<typeof notebookObjectSchema>;
/** The answer to `POST`: everything but the content. */
export const notebookCreatedSchema = notebookObjectSchema
  .omit({ markdown: true, files: true })
  .meta({ id: "NotebookCreated" });
export type NotebookCreated = z.infer<typeof notebookCreatedSchema>;

/** `GET /health`: 200 as long as the server lives, whatever the engine does. */
export const healthSchema = z
  .object({
    status: z.literal("ok"),
    uptime_seconds: z.number(),
    engine: z.object({
      state: z.enum(["starting", "ready", "unresponsive", "restarting", "closed"]),
      running: z.number().int(),
      queued: z.number().int(),
      queue_limit: z.number().int(),
      batch_size: z.number().int(),
      restarts: z.number().int(),
      rss_bytes: z.number(),
      loaded_models: z.array(z.string()),
      execution_providers: z
        .record(z.string(), z.string())
        .describe("Loaded model -> what it really runs on"),
    }),
  })
  .meta({ id: "Health" });
export type Health = z.infer<typeof healthSchema>;

/** `GET /ready`: 200 when a model answers, 503 otherwise. */
export const readySchema = z
  .object({ ready: z.boolean(), reason: z.string().optional() })
  .meta({ id: "Ready" });
export type Ready = z.infer<typeof readySchema>;
