/** What a deployment decides; every field has a default that suits a laptop. */
import { z } from "zod";

const MiB = 2 ** 20;
const positive = (fallback: number) => z.number().int().positive().default(fallback);

const limitsSchema = z.strictObject({
  /** Bytes of a request's body; pictures in data URLs are a third larger than their files. */
  bodyBytes: positive(32 * MiB),
  /** Milliseconds a body may take to arrive. */
  bodyMs: positive(30_000),
  /** Bytes of one picture's file; pixels are the engine's to limit. */
  imageBytes: positive(20 * MiB),
  imagesPerRequest: positive(16),
  /** Milliseconds to download a picture, redirects included. */
  imageFetchMs: positive(10_000),
  imageRedirects: z.number().int().min(0).default(3),
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
  /** Origins of pages that may call from a browser, besides the server's own. */
  corsOrigins: z.array(z.url()).default([]),
  /** Write prompts into the log; pictures never. */
  logContent: z.boolean().default(false),
  limits: limitsSchema.prefault({}),
});
export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
