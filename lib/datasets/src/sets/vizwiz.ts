/** VizWiz-VQA (Gurari et al., 2018): questions of blind people, ten answers each. */
import { z } from "zod";
import { entriesOf, readJson } from "../formats/json.ts";
import { fileLayout, parquetLayout, type Layout } from "../layout.ts";
import { answersSchema } from "./answers.ts";

const schema = z.array(
  z.object({
    image: z.string().min(1),
    question: z.string(),
    answers: answersSchema,
    answer_type: z.string().optional(),
  }),
);

/** Without the test split: its answers are not published. */
const splits = ["val", "train"];

export const vizwiz: readonly Layout[] = [
  fileLayout({
    name: "Annotations/val.json",
    splits,
    files: (split) => [
      new RegExp(`(^|/)annotations/${split}\\.json$`, "i"),
      new RegExp(`(^|/)(vizwiz_)?${split}\\.json$`, "i"),
    ],
    async read(folder, file) {
      const path = folder.resolve(file);
      return entriesOf(path, await readJson(path, schema)).map(({ value, at }) => ({
        kind: "question",
        id: value.image,
        picture: folder.picture(value.image, at),
        question: value.question,
        answers: value.answers,
        type: value.answer_type,
        at,
      }));
    },
  }),
  parquetLayout({
    splits,
    aliases: { val: ["validation"] },
    schema: z.object({
      question_id: z.string(),
      question: z.string(),
      answers: answersSchema,
      category: z.string().optional(),
    }),
    rows: ({ value, at, picture }) => [
      {
        kind: "question",
        id: value.question_id,
        picture: picture(["image"]),
        question: value.question,
        answers: value.answers,
        type: value.category,
        at,
      },
    ],
  }),
];
