/** Visual Spatial Reasoning (cambridgeltl/visual-spatial-reasoning): statements that are true of a picture or not. */
import { z } from "zod";
import { readJsonLines } from "../formats/json.ts";
import { fileLayout, parquetLayout, type Layout } from "../layout.ts";
import { labelSchema } from "./label.ts";

const schema = z.object({
  image: z.string().min(1),
  caption: z.string(),
  label: labelSchema,
  relation: z.string().optional(),
});

const splits = ["test", "dev", "train"];

export const vsr: readonly Layout[] = [
  fileLayout({
    name: "zeroshot/test.jsonl",
    splits,
    files: (split) => [
      new RegExp(`(^|/)zeroshot/${split}\\.jsonl$`),
      new RegExp(`(^|/)${split}\\.jsonl$`),
    ],
    async read(folder, file) {
      const lines = await readJsonLines(folder.resolve(file), schema);
      return lines.map(({ value: { image, caption, label, relation }, at }, i) => ({
        kind: "label",
        id: String(i),
        picture: folder.picture(image, at),
        text: caption,
        label,
        type: relation,
        at,
      }));
    },
  }),
  parquetLayout({
    splits,
    aliases: { dev: ["validation", "val"] },
    schema: schema.omit({ image: true }),
    rows: ({ value: { caption, label, relation }, at, picture }, _split, index) => [
      {
        kind: "label",
        id: String(index),
        picture: picture(["image"]),
        text: caption,
        label,
        type: relation,
        at,
      },
    ],
  }),
];
