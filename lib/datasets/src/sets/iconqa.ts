/** IconQA (Lu et al., 2021), the part where a text is chosen; the paper calls it IconVQA. */
import { z } from "zod";
import type { DataFolder } from "../dataFolder.ts";
import { checkEntry, entriesOf, readJson, type Entry } from "../formats/json.ts";
import { fileLayout, findFile, parquetLayout, type Layout } from "../layout.ts";
import type { ChoiceRow, Picture } from "../row.ts";
import { wrongData } from "../wrongData.ts";

const problem = z.object({
  question: z.string(),
  choices: z.array(z.string()).min(1),
  answer: z.number().int().min(0),
  grade: z.string().optional(),
});
type Problem = z.infer<typeof problem>;

const splits = ["val", "test", "train"];

function toRow({ value, at }: Entry<Problem>, id: string, picture: Picture): ChoiceRow {
  const { question, choices, answer, grade: type } = value;
  if (answer >= choices.length)
    throw wrongData(at, `an answer from 0 to ${choices.length - 1}`, String(answer));
  return { kind: "choice", id, picture, question, choices, answer, type, at };
}

/** As the reference's evaluation has it. */
const listed = z.array(problem.extend({ image_id: z.union([z.string(), z.number()]) }));

async function readList(folder: DataFolder, file: string) {
  const path = folder.resolve(file);
  return entriesOf(path, await readJson(path, listed)).map((entry) => {
    const id = String(entry.value.image_id);
    return toRow(entry, id, folder.picture(`${id}/image.png`, entry.at));
  });
}

/** All problems in one file; those of the other kinds have no texts to choose from. */
const problems = z.record(
  z.string(),
  z.looseObject({ question: z.string(), ques_type: z.string().optional() }),
);
const pidSplits = z.record(z.string(), z.array(z.union([z.string(), z.number()])));

async function readProblems(folder: DataFolder, file: string, split: string) {
  const splitFile = findFile(folder, [/(^|\/)pid_splits\.json$/]);
  if (splitFile === undefined)
    throw wrongData(folder.path, "pid_splits.json beside problems.json", "none");
  const path = folder.resolve(file);
  const all = await readJson(path, problems);
  const ids = (await readJson(folder.resolve(splitFile), pidSplits))[`choose_txt_${split}`];
  return ids?.map(String).map((id) => {
    const at = `${path}: ${id}`;
    const given = all[id];
    if (given === undefined) throw wrongData(at, `the problem that ${splitFile} names`, "none");
    const value = checkEntry(problem, given, at);
    return toRow({ value, at }, id, folder.picture(`${split}/choose_txt/${id}/image.png`, at));
  });
}

/** A folder for each problem. */
async function readFolders(folder: DataFolder, split: string) {
  const pattern = new RegExp(`(^|/)${split}/choose_txt/([^/]+)/data\\.json$`);
  const files = folder.files.filter((file) => pattern.test(file));
  if (files.length === 0) return undefined;
  return Promise.all(
    files.map(async (file) => {
      const at = folder.resolve(file);
      const id = pattern.exec(file)![2]!;
      const picture = folder.picture(file.replace(/data\.json$/, "image.png"), at);
      return toRow({ value: await readJson(at, problem), at }, id, picture);
    }),
  );
}

const parquetRow = z.object({
  question_id: z.union([z.string(), z.number()]).optional(),
  question: z.string(),
  /** Separated by commas, or a list. */
  choices: z.union([z.string(), z.array(z.string())]).optional(),
  /** The right one's text or index. */
  answer: z.union([z.string(), z.number()]).optional(),
  ques_type: z.string().optional(),
  grade: z.string().optional(),
});

/** The index of the right choice: texts count before indices, since choices may be numbers. */
function indexOfAnswer(answer: string | number, choices: readonly string[]): number {
  const text = typeof answer === "string" ? choices.indexOf(answer.trim()) : -1;
  return text >= 0 ? text : Number(answer);
}

export const iconqa: readonly Layout[] = [
  fileLayout({
    name: "choose_text_val.json",
    splits,
    files: (split) => [new RegExp(`(^|/)choose_te?xt_${split}\\.json$`)],
    read: readList,
  }),
  fileLayout({
    name: "problems.json with pid_splits.json",
    splits,
    files: () => [/(^|\/)problems\.json$/],
    read: readProblems,
  }),
  { name: "val/choose_txt/*/data.json", splits, read: readFolders },
  parquetLayout({
    splits,
    aliases: { val: ["validation"] },
    schema: parquetRow,
    rows({ value, at, picture }, _split, index) {
      const { question, choices: given = [], answer = "", grade, ques_type: type } = value;
      if (type !== undefined && type !== "choose_txt") return [];
      const texts = typeof given === "string" ? given.split(",") : given;
      const choices = texts.map((text) => text.trim());
      const entry = { question, choices, answer: indexOfAnswer(answer, choices), grade };
      const id = String(value.question_id ?? index);
      return [
        toRow({ value: checkEntry(problem, entry, at), at }, id, picture(["query_image", "image"])),
      ];
    },
  }),
];
