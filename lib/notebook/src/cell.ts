/**
 * The cells of a notebook. A cell is plain data; what it produced lies beside
 * it (`output.ts`). The same schemas check files, imports, shares and the
 * playground's own storage.
 */
import { z } from "zod";
import {
  decodingParamsSchema,
  imageModes,
  metrics,
  plainParameters,
  tasks,
  templates,
} from "@tinygptv/protocol";

/** A name other cells can use: `{{answer}}`. */
export const cellNameSchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "want a letter, then letters, digits, _ or -");

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const name = cellNameSchema.optional();
const model = z.string().min(1).max(200).optional();

/** What is asked; shared by prompt, sweep and compare. */
const question = {
  id,
  name,
  /** Names of picture cells; they go before the first round's text. */
  pictures: z.array(cellNameSchema).max(16).default([]),
  /** What the user says, round by round. `{{name}}` is replaced by that cell's output. */
  rounds: z.array(z.string()).min(1).max(64).default([""]),
  task: z.enum(tasks).optional(),
  template: z.enum(templates).optional(),
  imageMode: z.enum(imageModes).optional(),
  /** Level to ask, the notebook's own where absent. */
  model,
  decoding: decodingParamsSchema.default({}),
  /** Run again by itself when its inputs change. */
  auto: z.boolean().optional(),
  /** sha256 of the output kept beside the file. */
  output: z.string().optional(),
};

/** A value that a sweep tries. */
export const axisValueSchema = z.union([z.number(), z.string().max(200), z.boolean()]);

/** What a sweep can vary: a decoding parameter of one value, the task, the template or the level. */
export const sweepParameters = [...plainParameters, "task", "template", "model"];

/** What a sweep varies, and the values it tries. */
export const axisSchema = z.strictObject({
  parameter: z.string().refine((key) => sweepParameters.some((known) => known === key), {
    error: `want one of ${sweepParameters.join(", ")}`,
  }),
  values: z.array(axisValueSchema).min(1).max(64),
});
export type Axis = z.infer<typeof axisSchema>;

/** One column of a comparison; what it leaves out comes from the cell. */
export const columnSchema = z.strictObject({
  label: z.string().min(1).max(80),
  model,
  decoding: decodingParamsSchema.optional(),
});
export type Column = z.infer<typeof columnSchema>;

/** A question of an evaluation, with the answer that is expected. */
export const evaluationItemSchema = z.strictObject({
  pictures: z.array(cellNameSchema).max(16).default([]),
  prompt: z.string(),
  task: z.enum(tasks).optional(),
  answer: z.string(),
});
export type EvaluationItem = z.infer<typeof evaluationItemSchema>;

/** How a chart draws: a bar a run, a point a run, or a line through them. */
export const chartMarks = ["bars", "scatter", "lines"] as const;

/** How a training did at one of its steps. */
export const trainingFigureSchema = z.strictObject({
  step: z.int().min(0),
  /** Mean of the steps since the figure before. */
  loss: z.number().optional(),
  /** Of the questions kept aside, and of those that are not to be forgotten: how many answers were right. */
  heldOut: z.int().min(0).optional(),
  replayed: z.int().min(0).optional(),
});
export type TrainingFigure = z.infer<typeof trainingFigureSchema>;

/** A cell of a file with something in it that is not accepted. */
const faulty = z.strictObject({
  type: z.literal("faulty"),
  id,
  /** It has none that counts before it can be read. */
  name: z.never().optional(),
  /** The whole fence as it is written, so that nothing is lost. */
  source: z.string(),
});

/** A cell of any type, as it is kept and written to files. */
export const cellSchema = z.discriminatedUnion("type", [
  faulty,
  z.strictObject({ type: z.literal("text"), id, name, source: z.string() }),
  z.strictObject({
    type: z.literal("picture"),
    id,
    name,
    /** `sha256:…` (kept beside the notebook), a relative path, or "" for none yet. */
    file: z.string().max(2048).default(""),
    alt: z.string().max(500).optional(),
  }),
  z.strictObject({
    type: z.literal("prompt"),
    ...question,
    /** Token ids the answer has to begin with: a branch taken from an earlier answer. */
    answerPrefix: z.array(z.int().min(0).max(1_000_000)).max(4096).optional(),
  }),
  z.strictObject({
    type: z.literal("sweep"),
    ...question,
    axes: z.array(axisSchema).min(1).max(2),
  }),
  z.strictObject({
    type: z.literal("compare"),
    ...question,
    columns: z.array(columnSchema).min(1).max(8),
    /** Ask all columns at once: they stream side by side, but share the machine's time. */
    together: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal("evaluate"),
    id,
    name,
    models: z.array(z.string().min(1).max(200)).max(8).default([]),
    items: z.array(evaluationItemSchema).max(200).default([]),
    metric: z.enum(metrics).default(metrics[0]),
    template: z.enum(templates).optional(),
    decoding: decodingParamsSchema.default({}),
    auto: z.boolean().optional(),
    output: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal("finetune"),
    id,
    name,
    /** Name of the evaluate cell whose questions and answers are learnt. */
    source: z.string().max(64).default(""),
    /** Name of the one whose answers are not to be forgotten: half of the steps. */
    replay: z.string().max(64).optional(),
    /** Level that is trained over, the notebook's own where absent. */
    model,
    /** Whether prompts are put as the endpoint asks, or as the paper's fourth stage. */
    regime: z.enum(["served", "stage4"]).default("served"),
    steps: z.int().min(1).max(100_000).default(60),
    rank: z.int().min(1).max(256).default(8),
    rate: z.number().positive().max(1).default(1e-3),
    /** Whether every fifth question is kept aside, to be asked and not learnt. */
    holdOut: z.boolean().default(true),
    /** The training at the endpoint, and what could be asked after it. */
    job: z.string().max(80).optional(),
    trained: z.string().max(200).optional(),
    figures: z.array(trainingFigureSchema).max(200).default([]),
  }),
  z.strictObject({
    type: z.literal("chart"),
    id,
    name,
    /** Name of the sweep, compare or evaluate cell it draws. */
    source: z.string().max(64).default(""),
    mark: z.enum(chartMarks).default("bars"),
    /** Columns of the source's table (`table.ts`). */
    x: z.string().max(64).default("label"),
    y: z.string().max(64).default("total"),
  }),
]);

export type Cell = z.infer<typeof cellSchema>;
/** What a cell does. */
export type CellType = Cell["type"];
/** The cells of one type. */
export type CellOf<Type extends CellType> = Extract<Cell, { type: Type }>;
/** Cells that ask the model something. */
export type AskingCell = CellOf<"prompt" | "sweep" | "compare" | "evaluate">;
/** Cells with one question of their own. */
export type QuestionCell = CellOf<"prompt" | "sweep" | "compare">;

/** The types that people make cells of; `faulty` comes from files only. */
export const cellTypes = [
  "text",
  "picture",
  "prompt",
  "sweep",
  "compare",
  "evaluate",
  "finetune",
  "chart",
] as const satisfies readonly CellType[];

/** A kind that a person can add. */
export type NewCellType = (typeof cellTypes)[number];

/** Keys a setting in a file can have. */
export const settingNames: readonly string[] = [
  ...new Set([
    ...cellSchema.options.flatMap((option) => Object.keys(option.shape)),
    ...Object.keys(decodingParamsSchema.shape),
  ]),
].filter((key) => !["type", "id", "name", "rounds"].includes(key));

const askingTypes: readonly CellType[] = ["prompt", "sweep", "compare", "evaluate"];

/** Whether a cell asks the model something. */
export const isAsking = (cell: Cell): cell is AskingCell => askingTypes.includes(cell.type);
