/** OK-VQA (Marino et al., 2019), in the files of VQA; its test split is about COCO's val2014. */
import { z } from "zod";
import type { DataFolder } from "../dataFolder.ts";
import { readVqa } from "../formats/vqa.ts";
import { fileLayout, findFile, parquetLayout, type Layout } from "../layout.ts";
import type { Row } from "../row.ts";
import { wrongData } from "../wrongData.ts";
import { answersSchema } from "./answers.ts";

const cocoSplits: Readonly<Record<string, string>> = { test: "val2014", train: "train2014" };
const splits = Object.keys(cocoSplits);

async function read(folder: DataFolder, file: string, split: string): Promise<Row[]> {
  const coco = cocoSplits[split]!;
  const annotations = findFile(folder, [
    new RegExp(`(^|/)mscoco_${coco}_annotations(_clean)?\\.json$`),
  ]);
  if (annotations === undefined)
    throw wrongData(folder.path, `mscoco_${coco}_annotations.json beside ${file}`, "none");
  const questions = await readVqa(folder.resolve(file), folder.resolve(annotations));
  return questions.map(({ id, imageId, at, ...question }) => {
    const picture = `${imageId.padStart(12, "0")}.jpg`;
    return {
      kind: "question",
      id: String(id),
      picture: folder.picture([`COCO_${coco}_${picture}`, picture], at),
      ...question,
      at,
    };
  });
}

export const okvqa: readonly Layout[] = [
  fileLayout({
    name: "OpenEnded_mscoco_val2014_questions.json with mscoco_val2014_annotations.json",
    splits,
    files: (split) => [
      new RegExp(`(^|/)OpenEnded_mscoco_${cocoSplits[split]}_questions(_clean)?\\.json$`),
      new RegExp(`(^|/)okvqa_${split}_split\\.json$`),
    ],
    read,
  }),
  parquetLayout({
    splits,
    aliases: { test: ["val2014", "validation", "val"], train: ["train2014"] },
    schema: z.object({
      question_id: z.union([z.string(), z.number()]),
      question: z.string(),
      answers: answersSchema,
      question_type: z.string().optional(),
    }),
    rows: ({ value, at, picture }) => [
      {
        kind: "question",
        id: String(value.question_id),
        picture: picture(["image"]),
        question: value.question,
        answers: value.answers,
        type: value.question_type,
        at,
      },
    ],
  }),
];
