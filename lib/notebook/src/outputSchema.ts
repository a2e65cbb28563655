/** Checks outputs that come from outside: a side folder, a shared notebook. */
import { z } from "zod";
import {
  TinyGptvError,
  answerTokenSchema,
  beamSchema,
  boxSchema,
  decodingParamsSchema,
  faultsOf,
  finishReasons,
  generateRequestSchema,
  hypothesisSchema,
  imageInfoSchema,
  libraryErrorCodes,
  sentence,
  timingsSchema,
  usageSchema,
} from "@tinygptv/protocol";
import { axisValueSchema } from "./cell.ts";
import { maxKept } from "./kept.ts";
import type { Output } from "./output.ts";

const finite = z.number();
const error = z.object({ code: z.enum(libraryErrorCodes), message: z.string() });

const answer = z.object({
  request: generateRequestSchema,
  model: z.string().optional(),
  promptText: z.string(),
  text: z.string(),
  tokens: z.array(answerTokenSchema),
  beams: z.array(beamSchema),
  // Files of earlier versions have boxes of the best hypothesis only.
  hypotheses: z.array(hypothesisSchema.extend({ boxes: z.array(boxSchema).default([]) })),
  boxes: z.array(boxSchema),
  images: z.array(imageInfoSchema),
  finishReason: z.enum(finishReasons).optional(),
  usage: usageSchema.optional(),
  timings: timingsSchema.optional(),
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

const oneOutput = z.object({
  inputs: z.string(),
  at: z.string(),
  runs: z.array(run),
  scores: z.array(
    z.object({
      answer: finite,
      under: finite,
      meanLogprob: finite,
      tokens: z.array(answerTokenSchema),
    }),
  ),
  scoreError: error.optional(),
});

const outputSchema = oneOutput.extend({
  others: z.array(oneOutput).max(maxKept).optional(),
}) satisfies z.ZodType<Output>;

/**
 * Checks an output from outside.
 * @throws TinyGptvError "parameter", its message starting with `where`
 */
export function checkOutput(data: unknown, where: string, subject: string): Output {
  const parsed = outputSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [fault] = faultsOf(parsed.error, outputSchema, data);
  throw new TinyGptvError("parameter", `${where}: ${sentence(fault!, "output")}`, { subject });
}
