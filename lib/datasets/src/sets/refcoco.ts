/** RefCOCO, RefCOCO+ and RefCOCOg: sentences that mean one object of a picture of COCO's train2014. */
import { dirname, join } from "node:path/posix";
import { z } from "zod";
import type { DataFolder } from "../dataFolder.ts";
import { cocoBox, readCocoInstances, sizeOf, toCorners } from "../formats/coco.ts";
import { entriesOf, readJson } from "../formats/json.ts";
import { readReferences } from "../formats/refer.ts";
import { fileLayout, parquetLayout, type Layout } from "../layout.ts";
import type { Row } from "../row.ts";
import { wrongData } from "../wrongData.ts";

type Name = "refcoco" | "refcoco+" | "refcocog";

/** By whom a set is split, the usual one first; and what it is evaluated on. */
const about: Readonly<Record<Name, { splitBy: readonly string[]; splits: readonly string[] }>> = {
  refcoco: { splitBy: ["unc", "google"], splits: ["val", "testA", "testB"] },
  "refcoco+": { splitBy: ["unc"], splits: ["val", "testA", "testB"] },
  refcocog: { splitBy: ["umd", "google"], splits: ["val", "test"] },
};

/** One file has all splits. */
const opened = new WeakMap<DataFolder, ReturnType<typeof openPickle>>();

async function openPickle(folder: DataFolder, file: string) {
  const references = await readReferences(folder.resolve(file));
  const instancesFile = join(dirname(file), "instances.json");
  const instances = await readCocoInstances(folder.resolve(instancesFile));
  return { references, instancesFile, byId: new Map(instances.map((one) => [one.id, one])) };
}

async function readPickle(folder: DataFolder, file: string, split: string) {
  const known = opened.get(folder) ?? openPickle(folder, file);
  opened.set(folder, known);
  const { references, instancesFile, byId } = await known;
  const own = references.filter(({ value }) => value.split === split);
  if (own.length === 0) return undefined;
  return own.flatMap(({ value, at }): Row[] => {
    const found = byId.get(value.ann_id);
    if (found === undefined)
      throw wrongData(at, `the annotation ${value.ann_id} in ${instancesFile}`, "none");
    const { image, box } = found;
    return value.sentences.map(({ sent_id: id, sent }) => ({
      kind: "phrase",
      id: String(id),
      picture: folder.picture(image.file_name, at),
      phrase: sent,
      boxes: [box],
      size: sizeOf(image),
      type: split,
      at,
    }));
  });
}

/** As the reference's evaluation has it: one sentence an entry. */
const listed = z.array(
  z.object({
    img_id: z.string().min(1),
    sents: z.union([z.string(), z.array(z.string()).min(1)]),
    bbox: cocoBox,
    width: z.number().positive(),
    height: z.number().positive(),
  }),
);

/** `COCO_train2014_000000581857`: what follows in an `img_id` tells the object. */
const pictureNameLength = 27;

async function readList(folder: DataFolder, file: string, split: string): Promise<Row[]> {
  const path = folder.resolve(file);
  return entriesOf(path, await readJson(path, listed)).flatMap(({ value, at }, i) =>
    [value.sents].flat().map((phrase, j) => ({
      kind: "phrase" as const,
      id: `${split}/${i}/${j}`,
      picture: folder.picture(`${value.img_id.slice(0, pictureNameLength)}.jpg`, at),
      phrase,
      boxes: [toCorners(value.bbox)],
      size: { width: value.width, height: value.height },
      type: split,
      at,
    })),
  );
}

const parquetRow = z.object({
  question_id: z.union([z.string(), z.number()]).optional(),
  /** The sentences. */
  answer: z.array(z.string()).min(1),
  bbox: cocoBox,
});

/** The layouts of one of the three. */
export function refcoco(name: Name): readonly Layout[] {
  const { splitBy, splits } = about[name];
  const pattern = name.replace("+", "\\+");
  const common = { splits, together: true };
  return [
    fileLayout({
      ...common,
      name: `${name}/refs(${splitBy[0]}).p with instances.json`,
      files: () =>
        splitBy.flatMap((by) => [
          new RegExp(`(^|/)${pattern}/refs\\(${by}\\)\\.p$`),
          new RegExp(`^refs\\(${by}\\)\\.p$`),
        ]),
      read: readPickle,
    }),
    fileLayout({
      ...common,
      name: `${name}_val.json`,
      files: (split) => [new RegExp(`(^|/)${pattern}_${split}\\.json$`)],
      read: readList,
    }),
    parquetLayout({
      ...common,
      aliases: { val: ["validation"] },
      schema: parquetRow,
      rows: ({ value, at, picture }, split, index) =>
        value.answer.map((phrase, i) => ({
          kind: "phrase",
          id: `${split}/${value.question_id ?? index}/${index}/${i}`,
          picture: picture(["image"]),
          phrase,
          boxes: [toCorners(value.bbox)],
          type: split,
          at,
        })),
    }),
  ];
}
