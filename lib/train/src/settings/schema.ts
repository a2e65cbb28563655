/** Everything that the file of a run may say. */
import { z } from "zod";
import { dataFormats } from "../data/dataSets.ts";

const share = z.number().min(0).max(1);
const rate = z.number().min(0);
const positive = z.number().positive({ error: "want a number above 0" });
const count = z.int().min(1);

/** Where examples come from. */
const source = {
  /** What it is called in messages and figures; the format, or of one's own data the path, unless given. */
  name: z.string().min(1).optional(),
  /** `own` tells the formats of one's own data apart by their keys. */
  format: z.enum(dataFormats as [string, ...string[]]).default("own") as z.ZodDefault<
    z.ZodType<(typeof dataFormats)[number]>
  >,
  /** A file, a folder or a pattern of shards; or several. */
  path: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  /** Folder of the pictures, where the format does not say it. */
  images: z.string().min(1).optional(),
};

const dataSet = z.strictObject({
  ...source,
  /** Examples of a step that draws from it. */
  batch: count.default(1),
  /** Share of the steps, against the others'. */
  ratio: positive.default(1),
});

const beta = z.number().min(0).lt(1, { error: "want a number from 0, below 1" });

const schedule = z.strictObject({
  /** Of the first step; the peak unless given. */
  start: rate.optional(),
  peak: rate,
  /** What the cosine ends at. */
  final: rate,
  /** Steps of the warm-up. */
  warmup: z.int().min(0).default(0),
});

/** The published files' unless given. */
export const loraSchema = z.strictObject({
  rank: count.max(1024).default(64),
  alpha: positive.default(16),
  dropout: share.default(0.05),
});

/** Of a share that leaves something to others. */
const beside = "want a number above 0 and below 1";

export const runSchema = z
  .strictObject({
    /** Folder of a converted model: its tokenizer, its picture side, and what is frozen. */
    model: z.string().min(1),
    /** Which of its levels is trained over: fp32, fp16, int8, int4 … */
    level: z.string().min(1).default("fp32"),
    /** Folder with published files to go on from, instead of the model's own merged weights; and which stage file of several. */
    checkpoint: z
      .union([z.string().min(1), z.strictObject({ folder: z.string().min(1), file: z.string() })])
      .optional(),
    /** Whose prompts, end symbol and regime: 1 trains norms and mapping, the others LoRA too. */
    stage: z.literal([1, 2, 3, 4]).default(4),
    /** `false` trains norms and mapping alone. */
    lora: z.union([z.literal(false), loraSchema]).optional(),
    /** Share of attention's and MLP's results that a step leaves out. */
    dropout: share.default(0),
    /** How prompts are put: as in the stage's training, or as the endpoint asks, which fits what is to be asked there. */
    prompts: z.enum(["training", "served"]).default("training"),
    /** What ends an answer, and how many tokens it may have; the stage's unless given. */
    endSymbol: z.string().min(1).optional(),
    maxAnswerTokens: count.optional(),

    /** Folder that the paths of data begin from. */
    dataRoot: z.string().min(1).optional(),
    data: z.array(dataSet).min(1),
    /** What the model is not to forget, mixed in. */
    replay: z
      .strictObject({
        /** Of all steps. */
        share: z.number().gt(0, { error: beside }).lt(1, { error: beside }).default(0.5),
        data: z.array(dataSet).min(1),
      })
      .optional(),

    /** All steps; or epochs of so many steps each. */
    steps: count.optional(),
    epochs: count.optional(),
    stepsPerEpoch: count.optional(),
    /** One rate for all steps, or the reference's schedule. */
    rate: z.union([rate, schedule]),
    weightDecay: z.number().min(0).default(0.05),
    betas: z.tuple([beta, beta]).default([0.9, 0.999]),
    /** Gradients are scaled down to this norm. */
    clip: positive.optional(),
    /** Batches whose gradients are added up before a step. */
    accumulate: count.default(1),
    seed: z.int().min(0).default(42),

    /** Rows of a batch that are run at once: less takes less memory, and gives the same. */
    rowsAtOnce: count.default(4),
    /** Keeps only each layer's input and computes the rest again: slower, in less memory. Unless given, where memory is short. */
    recompute: z.boolean().optional(),
    /** `float16` halves what frozen matrices of a model in float32 take. */
    frozen: z.enum(["stored", "float16"]).default("stored"),

    evaluate: z
      .strictObject({
        /** Steps between. */
        every: count.default(100),
        /** Examples at most of each set. */
        limit: count.default(100),
        /** Unless given, the `valid` files beside one's own data. */
        data: z.array(z.strictObject(source)).optional(),
      })
      .prefault({}),
    save: z
      .strictObject({
        /** Steps between. */
        every: count.default(100),
        /** Saved states that stay. */
        keep: count.default(2),
      })
      .prefault({}),
    /** Folder of the run. */
    out: z.string().min(1),
    /** Goes on with the training that is in `out`. */
    resume: z.boolean().default(false),
  })
  .superRefine(({ steps, epochs, stepsPerEpoch }, context) => {
    const complain = (name: string, message: string) =>
      context.addIssue({ code: "custom", path: [name], message });
    const isWhole = steps !== undefined;
    if (isWhole && (epochs !== undefined || stepsPerEpoch !== undefined))
      complain("steps", "want steps, or epochs and stepsPerEpoch, got both");
    if (!isWhole && epochs === undefined && stepsPerEpoch === undefined)
      complain("steps", "want steps, or epochs and stepsPerEpoch, got none of them");
    if (!isWhole && epochs !== undefined && stepsPerEpoch === undefined)
      complain("stepsPerEpoch", `want the steps of each of ${epochs} epochs, got none`);
  });

/** What a run is set to. */
export type RunSettings = z.infer<typeof runSchema>;
export type DataSettings = z.infer<typeof dataSet>;
export type SourceSettings = Pick<DataSettings, keyof typeof source>;
