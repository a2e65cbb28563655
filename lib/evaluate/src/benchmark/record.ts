/** One line of a run's answers: all that scoring needs, so that the data set need not be there any more. */
import { z } from "zod";
import { expectedSchema } from "./question.ts";

export const recordSchema = z.strictObject({
  id: z.string(),
  /** File of the picture, relative to the data. */
  image: z.string(),
  /** Kind of question. */
  type: z.string().optional(),
  /** As it was asked, tag included. */
  prompt: z.string(),
  expected: expectedSchema,
  /** As it came; of a choice the text that was chosen. */
  answer: z.string(),
  /** Whether the answer ended by itself or was cut at its longest. */
  finishReason: z.enum(["stop", "length"]).optional(),
  /** Of a choice: its index, and the mean log-probability of every candidate. */
  chosen: z.number().int().optional(),
  logprobs: z.array(z.number()).optional(),
});
/** A question, what was right and what was answered. */
export type AnswerRecord = z.infer<typeof recordSchema>;
