/** One's own questions, one JSON object a line, or rows of Parquet: `image`, `prompt`, `answer`. */
import { z } from "zod";
import { readJsonLines, type Entry } from "../formats/json.ts";
import { parquetLayout, type Layout } from "../layout.ts";
import type { Picture, Row } from "../row.ts";
import { wrongData } from "../wrongData.ts";

const texts = z.union([z.string(), z.array(z.string()).min(1)]);

/** Other fields are not looked at. */
const schema = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  prompt: z.string().min(1),
  /** The right answer, or several that are right. */
  answer: texts.optional(),
  /** The same under the name that `compare` has for it. */
  reference: texts.optional(),
  /** Kind of question, to tell results apart by. */
  type: z.string().optional(),
  kind: z.string().optional(),
});

function toRow({ value, at }: Entry<z.infer<typeof schema>>, index: number, picture: Picture): Row {
  const { id = index, prompt, answer, reference = answer, type, kind = type } = value;
  if (reference === undefined) throw wrongData(at, "answer, a text or several", "nothing");
  return {
    kind: "question",
    id: String(id),
    picture,
    question: prompt,
    answers: [reference].flat(),
    type: kind,
    at,
  };
}

export const own: readonly Layout[] = [
  {
    name: "a .jsonl file",
    splits: ["all"],
    async read(folder) {
      const files = folder.file === undefined ? folder.files : [folder.file];
      const found = files.filter((file) => file.endsWith(".jsonl"));
      if (found.length === 0) return undefined;
      if (found.length > 1) throw wrongData(folder.path, "one .jsonl file", found.join(" and "));
      const path = folder.resolve(found[0]!);
      const lines = await readJsonLines(path, schema.extend({ image: z.string().min(1) }));
      return lines.map((line, i) => toRow(line, i, folder.picture(line.value.image, line.at)));
    },
  },
  parquetLayout({
    splits: ["all"],
    schema,
    rows: (row, _split, index) => [toRow(row, index, row.picture(["image"]))],
  }),
];
