/** GQA (Hudson and Manning, 2019): questions about scenes with one answer each. */
import { z } from "zod";
import type { DataFolder } from "../dataFolder.ts";
import { entriesOf, readJson } from "../formats/json.ts";
import { readParquet } from "../formats/parquet.ts";
import { fileLayout, parquetFiles, type Layout } from "../layout.ts";
import type { Picture, Row } from "../row.ts";
import { wrongData } from "../wrongData.ts";

const types = z.object({ structural: z.string().optional() }).optional();

/** As published: by question id. */
const published = z.record(
  z.string(),
  z.object({ imageId: z.string(), question: z.string(), answer: z.string(), types }),
);
/** As the reference's evaluation has it. */
const listed = z.array(
  z.object({
    image: z.string().min(1),
    question: z.string(),
    answer: z.string(),
    question_id: z.union([z.string(), z.number()]).optional(),
  }),
);

const splits = ["testdev", "val", "test", "train"];

async function readQuestions(folder: DataFolder, file: string): Promise<Row[]> {
  const path = folder.resolve(file);
  const questions = await readJson(path, z.union([listed, published]));
  if (Array.isArray(questions))
    return entriesOf(path, questions).map(({ value, at }, i) => ({
      kind: "question",
      id: String(value.question_id ?? i),
      picture: folder.picture(value.image, at),
      question: value.question,
      answers: [value.answer],
      at,
    }));
  return Object.entries(questions).map(([id, value]) => {
    const at = `${path}: ${id}`;
    return {
      kind: "question",
      id,
      picture: folder.picture(`${value.imageId}.jpg`, at),
      question: value.question,
      answers: [value.answer],
      type: value.types?.structural,
      at,
    };
  });
}

const instruction = z.object({
  id: z.string(),
  imageId: z.string(),
  question: z.string(),
  answer: z.string(),
  types,
});

/** Questions and pictures in files of their own (`testdev_balanced_instructions`, `testdev_balanced_images`). */
async function readInstructions(folder: DataFolder, split: string): Promise<Row[] | undefined> {
  const files = parquetFiles(folder, [split], splits);
  const pictureFiles = files.filter((file) => /_images\b/.test(file));
  const questionFiles = files.filter((file) => !pictureFiles.includes(file));
  if (questionFiles.length === 0) return undefined;
  const pictures = new Map<string, Picture>();
  const rows = await readParquet(pictureFiles.map(folder.resolve), z.object({ id: z.string() }));
  for (const { value, picture } of rows) pictures.set(value.id, picture(["image"]));
  const questions = await readParquet(questionFiles.map(folder.resolve), instruction);
  return questions.map(({ value, at, picture }) => ({
    kind: "question",
    id: value.id,
    picture: pictureFiles.length === 0 ? picture(["image"]) : pictureOf(value.imageId, at),
    question: value.question,
    answers: [value.answer],
    type: value.types?.structural,
    at,
  }));

  function pictureOf(id: string, at: string): Picture {
    const picture = pictures.get(id);
    if (picture !== undefined) return picture;
    throw wrongData(at, `a picture ${id} in ${pictureFiles.join(", ")}`, "none");
  }
}

export const gqa: readonly Layout[] = [
  fileLayout({
    name: "testdev_balanced_questions.json",
    splits,
    files: (split) => [
      new RegExp(`(^|/)${split}_balanced_questions\\.json$`),
      new RegExp(`(^|/)${split}_all_questions\\.json$`),
    ],
    read: readQuestions,
  }),
  { name: "Parquet files of instructions and images", splits, read: readInstructions },
];
