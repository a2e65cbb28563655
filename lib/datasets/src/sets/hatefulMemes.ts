/** Hateful Memes (Kiela et al., 2020). */
import { z } from "zod";
import { readJsonLines } from "../formats/json.ts";
import { fileLayout, parquetLayout, type Layout } from "../layout.ts";
import { labelSchema } from "./label.ts";

const schema = z.object({
  id: z.union([z.string(), z.number()]),
  img: z.string().min(1),
  text: z.string(),
  label: labelSchema,
});

/** `seen` and `unseen` are those of the challenge's second phase. */
const splits = ["dev", "dev_seen", "dev_unseen", "test", "test_seen", "test_unseen", "train"];

export const hatefulMemes: readonly Layout[] = [
  fileLayout({
    name: "dev.jsonl",
    splits,
    files: (split) => [
      new RegExp(`(^|/)${split}\\.jsonl$`),
      ...(split === "dev" ? [/(^|\/)dev_seen\.jsonl$/] : []),
    ],
    async read(folder, file) {
      const lines = await readJsonLines(folder.resolve(file), schema);
      return lines.map(({ value: { id, img, text, label }, at }) => ({
        kind: "label",
        id: String(id),
        picture: folder.picture(img, at),
        text,
        label,
        at,
      }));
    },
  }),
  parquetLayout({
    splits,
    aliases: { dev: ["validation", "val"] },
    schema: schema.pick({ text: true, label: true }).extend({ id: schema.shape.id.optional() }),
    rows: ({ value: { id, text, label }, at, picture }, _split, index) => [
      {
        kind: "label",
        id: String(id ?? index),
        picture: picture(["image", "img"]),
        text,
        label,
        at,
      },
    ],
  }),
];
