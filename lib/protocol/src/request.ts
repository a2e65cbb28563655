/** What a model is asked: to answer, or to score given answers. Pictures travel beside it, as bytes. */
import { z } from "zod";
import { decodingParamsSchema } from "./decoding/parameters.ts";

/** Task tags of the published training set; the tag is put first in the user's text. */
export const tasks = ["vqa", "caption", "refer", "identify", "grounding", "detection"] as const;
export type Task = (typeof tasks)[number];

/**
 * Prompt templates of the reference:
 * - `stage4`: the stage-4 demo (`<s>[INST] <Img><ImageHere></Img> … [/INST]`)
 * - `stage3`: the demo of stages 1 to 3, with its system text (`###Human: … ###Assistant: `)
 * - `evaluation`: evaluation by generation (`###Human: <Img><ImageHere></Img> …###Assistant: `)
 * - `choice`: evaluation by choice (as `evaluation`, a space before the second `###`)
 * - `raw`: the text as it is; `<ImageHere>` marks the places of the pictures
 */
export const templates = ["stage4", "stage3", "evaluation", "choice", "raw"] as const;
export type Template = (typeof templates)[number];

/** Stands in a prompt's text where a picture goes; only the template `raw` lets callers say so. */
export const imageMark = "<ImageHere>";

/** How pictures are read: for people (EXIF applied, alpha over white) or as the reference does. */
export const imageModes = ["display", "reference"] as const;

/** Longest text that is encoded, in UTF-16 units: no context window of a TinyGPT-V holds as much. */
export const maxTextLength = 100_000;

const integer = (min: number, max: number) => z.number().int().min(min).max(max);

/** One exchange of a conversation; the last one has no answer yet. */
export const roundSchema = z.strictObject({
  prompt: z.string(),
  /** How many of the request's pictures, in order, belong to this round; they go before its text. */
  images: integer(0, 16).optional(),
  answer: z.string().optional(),
});
export type Round = z.infer<typeof roundSchema>;

/** What is put before the model, whatever is then done with it. */
const promptShape = {
  rounds: z.array(roundSchema).min(1).max(64),
  task: z.enum(tasks).optional(),
  template: z.enum(templates).optional(),
  imageMode: z.enum(imageModes).optional(),
};

/** One request to a model. */
export const generateRequestSchema = z.strictObject({
  ...promptShape,
  decoding: decodingParamsSchema.optional(),
  /** The answer must continue these tokens (a branch taken in the playground). */
  answerPrefix: z.array(integer(0, 1_000_000)).max(4096).optional(),
});
export type GenerateRequest = z.infer<typeof generateRequestSchema>;

/** Candidates to score after a prompt, teacher-forced. */
export const scoreRequestSchema = z.strictObject({
  ...promptShape,
  candidates: z.array(z.string()).min(1).max(256),
  /** Return the most probable alternatives at every token. */
  topLogprobs: integer(0, 20).optional(),
  /** Put after every candidate; the reference's `multi_select` uses a newline. */
  endSymbol: z.string().max(64).optional(),
});
export type ScoreRequest = z.infer<typeof scoreRequestSchema>;
