/** Fine-tuning as work of the server: jobs in the shape of OpenAI's API, with rows in place of uploaded files. */
import { z } from "zod";
import { recordOf } from "../record.ts";

const rows = (most: number) =>
  z
    .array(recordOf(z.string(), z.unknown(), 64))
    .min(1)
    .max(most);
const auto = z.literal("auto");
const count = z.number().int().min(1);

/** Rows of one job that are learnt, at most. */
export const maxTrainingRows = 5000;

/** What a training is set to; what is left out or "auto" suits a small model and some dozens of rows. */
export const hyperparametersSchema = z.strictObject({
  n_epochs: z
    .union([auto, count.max(1000)])
    .optional()
    .describe("Passes over the rows; 10 unless given"),
  steps: count.max(1_000_000).optional().describe("All steps, in place of epochs"),
  batch_size: z
    .union([auto, count.max(256)])
    .optional()
    .describe("Rows of a step; 8 unless given"),
  learning_rate_multiplier: z
    .union([auto, z.number().positive()])
    .optional()
    .describe("Of the usual rate, 1e-3"),
  learning_rate: z.number().positive().max(1).optional().describe("Of the highest step"),
  rank: count.max(256).optional().describe("Of LoRA; 8 unless given"),
  replay_share: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe("Of all steps, those of `replay_data`; 0.5 unless given"),
});

/** `POST /v1/fine_tuning/jobs`, and what `POST /v1/fine_tuning/estimates` reckons. */
export const fineTuningRequestSchema = z
  .strictObject({
    model: z.string().min(1).describe("Which is trained over, in its level"),
    training_data: rows(maxTrainingRows).describe(
      "What is learnt: `{image, prompt, answer}`, conversations of LLaVA or ShareGPT, chat messages. `image` is a data URL, an http(s) URL or the id of an uploaded picture",
    ),
    validation_data: rows(1000).optional().describe("What is not learnt but asked meanwhile"),
    replay_data: rows(maxTrainingRows).optional().describe("What the model is not to forget"),
    regime: z
      .enum(["served", "stage4"])
      .default("served")
      .describe("Whether prompts are put as this endpoint asks, or as the paper's fourth stage"),
    suffix: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,39}$/,
        "want lower-case letters, digits, ., _ or -, at most 40",
      )
      .optional()
      .describe("What comes of it is called; the job's id unless given"),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 31)
      .optional(),
    hyperparameters: hyperparametersSchema.optional(),
    method: z
      .strictObject({
        type: z.literal("supervised"),
        supervised: z
          .strictObject({ hyperparameters: hyperparametersSchema.optional() })
          .optional(),
      })
      .optional()
      .describe("OpenAI's other place for hyperparameters"),
  })
  .meta({ id: "FineTuningRequest" });
export type FineTuningRequest = z.infer<typeof fineTuningRequestSchema>;

/** Of a training before it is begun, from its first two steps. */
export const fineTuningEstimateSchema = z
  .object({
    object: z.literal("fine_tuning.estimate"),
    steps: z.number().int(),
    seconds: z.number().describe("Of all steps, evaluation apart"),
    memory_bytes: z.number().describe("About what the process takes"),
    trained_parameters: z.number().int(),
    tokens_per_second: z.number(),
  })
  .meta({ id: "FineTuningEstimate" });
export type FineTuningEstimate = z.infer<typeof fineTuningEstimateSchema>;

/** Where a job stands. What was cancelled or has failed can be resumed. */
export const jobStatuses = [
  "validating_files",
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
] as const;

/** `GET /v1/fine_tuning/jobs/{id}` */
export const fineTuningJobSchema = z
  .object({
    id: z.string(),
    object: z.literal("fine_tuning.job"),
    created_at: z.number().int(),
    finished_at: z.number().int().nullable(),
    estimated_finish: z.number().int().nullable(),
    model: z.string(),
    fine_tuned_model: z.string().nullable().describe("To be asked, once it has succeeded"),
    organization_id: z.string(),
    status: z.enum(jobStatuses),
    error: z
      .object({ code: z.string(), message: z.string(), param: z.string().nullable() })
      .nullable(),
    hyperparameters: z.object({
      n_epochs: z.number().int(),
      batch_size: z.number().int(),
      learning_rate_multiplier: z.number(),
    }),
    rank: z.number().int(),
    steps: z.number().int(),
    step: z.number().int().describe("The last one that was done"),
    trained_tokens: z.number().int().nullable(),
    training_file: z.string(),
    validation_file: z.string().nullable(),
    result_files: z.array(z.string()),
    seed: z.number().int(),
  })
  .meta({ id: "FineTuningJob" });
export type FineTuningJob = z.infer<typeof fineTuningJobSchema>;

/** What is kept of a step or an evaluation: figures by name. */
const metricsSchema = z.object({
  step: z.number().int(),
  train_loss: z.number().optional(),
  learning_rate: z.number().optional(),
  tokens: z.number().int().optional(),
  seconds: z.number().optional(),
  evaluations: z
    .array(
      z.object({
        name: z.string(),
        loss: z.number().describe("Mean of −log p over the tokens of the answers"),
        right: z.number().int().describe("Answers whose every token is the most probable one"),
        examples: z.number().int(),
      }),
    )
    .optional(),
});

/** Something that happened in a job. */
export const fineTuningEventSchema = z
  .object({
    id: z.string().describe("`after` of the next request"),
    object: z.literal("fine_tuning.job.event"),
    created_at: z.number().int(),
    level: z.enum(["info", "warn", "error"]),
    message: z.string(),
    type: z.enum(["message", "metrics"]),
    data: z
      .object({
        ...metricsSchema.partial().shape,
        status: z.enum(jobStatuses).optional(),
        /** Step that the training goes on after: what was told of later ones is done again. */
        from: z.number().int().optional(),
        steps: z.number().int().optional(),
        saved: z.number().int().optional(),
      })
      .optional(),
  })
  .meta({ id: "FineTuningEvent" });
export type FineTuningEvent = z.infer<typeof fineTuningEventSchema>;

/** A state that a job can go on from. */
export const fineTuningCheckpointSchema = z
  .object({
    id: z.string(),
    object: z.literal("fine_tuning.job.checkpoint"),
    created_at: z.number().int(),
    fine_tuning_job_id: z.string(),
    fine_tuned_model_checkpoint: z.string(),
    step_number: z.number().int(),
    metrics: z.object({ step: z.number().int(), train_loss: z.number().optional() }),
  })
  .meta({ id: "FineTuningCheckpoint" });
export type FineTuningCheckpoint = z.infer<typeof fineTuningCheckpointSchema>;

const listOf = <Item extends z.ZodType>(item: Item, id: string) =>
  z.object({ object: z.literal("list"), data: z.array(item), has_more: z.boolean() }).meta({ id });

/** `GET /v1/fine_tuning/jobs`, the newest first. */
export const fineTuningJobListSchema = listOf(fineTuningJobSchema, "FineTuningJobList");
/** `GET /v1/fine_tuning/jobs/{id}/events`, the newest first. */
export const fineTuningEventListSchema = listOf(fineTuningEventSchema, "FineTuningEventList");
/** `GET /v1/fine_tuning/jobs/{id}/checkpoints`, the newest first. */
export const fineTuningCheckpointListSchema = listOf(
  fineTuningCheckpointSchema,
  "FineTuningCheckpointList",
);
