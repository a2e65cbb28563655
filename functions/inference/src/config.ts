/** What a deployment decides; every field has a default that suits a laptop. */
import { z } from "zod";
import { pageOriginSchema } from "@tinygptv/protocol/http";

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const positive = (fallback: number) => z.number().int().positive().default(fallback);

const limitsSchema = z.strictObject({
  /** Bytes of a request's body; pictures in data URLs are a third larger than their files. */
  bodyBytes: positive(32 * MiB),
  /** Milliseconds a body may take to arrive. */
  bodyMs: positive(30_000),
  /** Bytes of one picture's file; pixels are the engine's to limit. */
  imageBytes: positive(20 * MiB),
  imagesPerRequest: positive(16),
  /** Bytes of one request's pictures together, each counted once. */
  imageBytesPerRequest: positive(64 * MiB),
  /** Bytes of bodies, and as many of pictures, that all requests hold in memory at once. */
  bytesInFlight: positive(256 * MiB),
  /** Requests of one key between admission and the engine; more are told that the queue is full. */
  preparing: positive(72),
  /** Lists and objects within each other in JSON, and values in all. */
  jsonDepth: positive(64),
  jsonValues: positive(60_000),
  /** Milliseconds to download a picture, redirects included. */
  imageFetchMs: positive(10_000),
  imageRedirects: z.number().int().min(0).default(3),
  /** Bytes of one shared notebook, its pictures in base64 included. */
  notebookBytes: positive(16 * MiB),
  /** Bytes of pictures and notebooks that all keys keep, and one of them. */
  storeBytes: positive(10 * GiB),
  storeBytesPerKey: positive(2 * GiB),
  /** Trainings that are kept, done ones included, and bytes of the pictures of one. */
  trainings: positive(20),
  trainingImageBytes: positive(GiB),
  /** Days after which uploaded pictures, and shared notebooks, are forgotten. */
  imageDays: z.number().int().positive().optional(),
  notebookDays: z.number().int().positive().optional(),
  /** Requests of one key that run at the same time. */
  concurrencyPerKey: positive(128),
  /** Milliseconds from a request's arrival to the end of its answer. */
  generationMs: positive(300_000),
  /** Answers of one comparison that run at the same time. */
  compareConcurrency: positive(8),
});

export const configSchema = z.strictObject({
  /** Bearer keys; none: only this machine may call. */
  keys: z.array(z.string().regex(/^[A-Za-z0-9._~+/-]{8,256}=*$/)).default([]),
  /** Whether all keys see and delete each other's pictures and notebooks. */
  shareStore: z.boolean().default(false),
  /** Origins of pages that may call from a browser, besides the server's own. */
  corsOrigins: z.array(pageOriginSchema).default([]),
  /** Write prompts into the log; pictures never. */
  logContent: z.boolean().default(false),
  /** Whether pictures from the web come by way of the environment's proxies. */
  useProxy: z.boolean().default(false),
  /** Folder where trainings are kept; without one nobody may train. */
  training: z.string().min(1).optional(),
  limits: limitsSchema.prefault({}),
});
export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
