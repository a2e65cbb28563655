/** Questions and annotations in the files of VQA, which OK-VQA has too. */
import { z } from "zod";
import { wrongData } from "../wrongData.ts";
import { entriesOf, readJson } from "./json.ts";

const question = z.object({
  /** The reference's own cut has texts. */
  image_id: z.union([z.number().int(), z.string()]),
  question_id: z.number().int(),
  question: z.string(),
});

/** The list is all there is in the reference's own cut of OK-VQA. */
const questionFile = z.union([z.object({ questions: z.array(question) }), z.array(question)]);

const annotationFile = z.object({
  annotations: z.array(
    z.object({
      question_id: z.number().int(),
      answers: z.array(z.object({ answer: z.string() })).min(1),
      question_type: z.string().optional(),
    }),
  ),
  /** Of OK-VQA: names of its question types. */
  question_types: z.record(z.string(), z.string()).optional(),
});

/** A question with its answers, each as often as it was given. */
export interface VqaQuestion {
  readonly id: number;
  readonly imageId: string;
  readonly question: string;
  readonly answers: readonly string[];
  readonly type: string | undefined;
  readonly at: string;
}

/** @throws TinyGptvError "parameter", naming the file and the entry */
export async function readVqa(questions: string, annotations: string): Promise<VqaQuestion[]> {
  const asked = await readJson(questions, questionFile);
  const answered = await readJson(annotations, annotationFile);
  const byQuestion = new Map(answered.annotations.map((one) => [one.question_id, one]));
  const list = Array.isArray(asked) ? asked : asked.questions;
  const name = Array.isArray(asked) ? "" : "questions";
  return entriesOf(questions, list, name).map(({ value, at }) => {
    const found = byQuestion.get(value.question_id);
    if (found === undefined)
      throw wrongData(at, `answers to question ${value.question_id} in ${annotations}`, "none");
    const { question_type: type } = found;
    return {
      id: value.question_id,
      imageId: String(value.image_id),
      question: value.question,
      answers: found.answers.map(({ answer }) => answer),
      type: type === undefined ? undefined : (answered.question_types?.[type] ?? type),
      at,
    };
  });
}
