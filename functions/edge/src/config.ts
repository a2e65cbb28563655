/** What a deployment decides, from its environment: Worker bindings or process variables. */
import { pageOriginSchema } from "@tinygptv/protocol/http";
import { z } from "zod";

const positive = z.number().int().positive();

const keySchema = z.strictObject({
  /** Who it is, in limits and at the origins; never the key itself. */
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  key: z.string().regex(/^[A-Za-z0-9._~+/-]{16,256}=*$/),
  requestsPerMinute: positive.optional(),
  /** Requests that may come at once after a pause. */
  burst: positive.optional(),
});

const originSchema = z.strictObject({
  /** Where an inference function listens: scheme and host, no path. */
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url === new URL(url).origin, "want scheme and host only, no slash at the end"),
  /** Bearer key of the inference function. */
  key: z.string().min(1).optional(),
  /** Models it serves, as `name` or `name:level`; left out: all. */
  models: z.array(z.string().min(1)).min(1).optional(),
});
export type OriginConfig = z.output<typeof originSchema>;

const unique = (values: readonly string[]) => new Set(values).size === values.length;

/** Seconds, milliseconds, bytes and counts; defaults suit one isolate of 128 MB. */
export const configSchema = z.strictObject({
  keys: z
    .array(keySchema)
    .min(1)
    .refine(
      (keys) => unique(keys.map(({ key }) => key)) && unique(keys.map(({ name }) => name)),
      "want each name and key once",
    ),
  origins: z
    .array(originSchema)
    .min(1)
    .refine((origins) => unique(origins.map(({ url }) => url)), "want each origin once"),
  /** Pages that may call from a browser. */
  corsOrigins: z.array(pageOriginSchema).default([]),
  requestsPerMinute: positive.default(120),
  burst: positive.default(30),
  bodyBytes: positive.default(16 * 1024 * 1024),
  /** Memory for bodies on their way, all together. */
  heldBytes: positive.default(32 * 1024 * 1024),
  /** How long an answer may be given again; 0: no cache. */
  cacheSeconds: z.number().int().nonnegative().default(300),
  cacheBytes: positive.default(32 * 1024 * 1024),
  /** How long an origin may be silent: until its answer is whole, or between two events of a stream. */
  originTimeoutMs: positive.default(300_000),
  /** How often each origin is asked whether it is ready. */
  healthIntervalMs: positive.default(10_000),
  /** How long that may take it. */
  readyTimeoutMs: positive.default(3_000),
});
export type EdgeConfig = z.output<typeof configSchema>;
export type KeyConfig = EdgeConfig["keys"][number];
