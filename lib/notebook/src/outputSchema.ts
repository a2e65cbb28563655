/** Checks outputs that come from outside: a side folder, a shared notebook. */
import { z } from "zod";
import { TinyGptvError, decodingParamsSchema, generateRequestSchema } from "@tinygptv/protocol";
import { axisValueSchema } from "./cell.ts";
import { firstIssue } from "./document.ts";
import type { Output } from "./output.ts";

const finite = z.number();
const alternative = z.object({ id: finite, text: z.string(), logprob: finite });
const token = z.object({
  id: finite,
  text: z.string(),
  logprob: finite.optional(),
  top: z.array(alternative).optional(),
});
const corners = z.tuple([finite, finite, finite, finite]);
const finishReason = z.enum(["stop", "length", "abort", "error"]);
const error = z.object({
  code: z.enum([
    "checkpoint",
    "layout",
    "model",
    "image",
    "prompt",
    "parameter",
    "engine",
    "busy",
    "aborted",
    "conflict",
    "network",
    "io",
  ]),
  message: z.string(),
});

const answer = z.object({
  request: generateRequestSchema,
  model: z.string().optional(),
  promptText: z.string(),
  text: z.string(),
  tokens: z.array(token),
  beams: z.array(z.object({ text: z.string(), score: finite })),
  hypotheses: z.array(
    z.object({ text: z.string(), tokens: z.array(token), finishReason, score: finite.optional() }),
  ),
  boxes: z.array(
    z.object({ phrase: z.string(), percent: corners, pixels: corners, image: finite }),
  ),
  images: z.array(
    z.object({ hash: z.string(), width: finite, height: finite, cached: z.boolean() }),
  ),
  finishReason: finishReason.optional(),
  usage: z
    .object({
      promptTokens: finite,
      imageTokens: finite,
      completionTokens: finite,
      cachedTokens: finite,
    })
    .optional(),
  timings: z
    .object({ queue: finite, image: finite, prefill: finite, decode: finite, total: finite })
    .optional(),
  seed: finite.optional(),
});

const run = z.object({
  label: z.string(),
  model: z.string().optional(),
  decoding: decodingParamsSchema,
  coordinates: z.record(z.string(), axisValueSchema),
  pictures: z.array(z.string()),
  state: z.enum(["waiting", "running", "done", "stopped", "error"]),
  answers: z.array(answer),
  error: error.optional(),
  expected: z.string().optional(),
  correct: z.boolean().optional(),
});

const outputSchema = z.object({
  inputs: z.string(),
  at: z.string(),
  runs: z.array(run),
  scores: z.array(
    z.object({ answer: finite, under: finite, meanLogprob: finite, tokens: z.array(token) }),
  ),
  scoreError: error.optional(),
}) satisfies z.ZodType<Output>;

/**
 * Checks an output from outside.
 * @throws TinyGptvError "parameter", its message starting with `where`
 */
export function checkOutput(data: unknown, where: string, subject: string): Output {
  const parsed = outputSchema.safeParse(data);
  if (!parsed.success)
    throw new TinyGptvError("parameter", `${where}: ${firstIssue(parsed.error)}`, { subject });
  return parsed.data;
}
