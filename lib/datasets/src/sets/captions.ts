/** Descriptions of pictures: COCO, NoCaps, TextCaps, Flickr30k. */
import { z } from "zod";
import type { DataFolder } from "../dataFolder.ts";
import { readCocoCaptions } from "../formats/coco.ts";
import { entriesOf, readDataText, readJson } from "../formats/json.ts";
import { readKarpathySplit } from "../formats/karpathy.ts";
import { fileLayout, parquetLayout, type Layout } from "../layout.ts";
import type { CaptionRow } from "../row.ts";
import { wrongData } from "../wrongData.ts";

async function readCoco(folder: DataFolder, file: string): Promise<CaptionRow[]> {
  const pictures = await readCocoCaptions(folder.resolve(file));
  return pictures.map(({ image, captions, at }) => ({
    kind: "captions",
    id: String(image.id),
    picture: folder.picture(image.file_name, at),
    captions,
    type: image.domain,
    at,
  }));
}

async function readKarpathy(
  folder: DataFolder,
  file: string,
  split: string,
): Promise<CaptionRow[] | undefined> {
  const pictures = await readKarpathySplit(folder.resolve(file), split);
  if (pictures.length === 0) return undefined;
  return pictures.map(({ picture, captions, at }) => ({
    kind: "captions",
    id: picture,
    picture: folder.picture(picture, at),
    captions,
    at,
  }));
}

const idSchema = z.union([z.string(), z.number()]).optional();
const captionList = z.array(z.string()).min(1);

export const cocoCaptions: readonly Layout[] = [
  fileLayout({
    name: "captions_val2014.json",
    splits: ["val", "train"],
    files: (split) => [new RegExp(`(^|/)captions_${split}20(14|17)\\.json$`)],
    read: readCoco,
  }),
  fileLayout({
    name: "dataset_coco.json",
    splits: ["test", "val", "train"],
    files: () => [/(^|\/)dataset_coco\.json$/],
    read: readKarpathy,
  }),
  parquetLayout({
    splits: ["val", "test"],
    aliases: { val: ["validation"] },
    schema: z.object({ question_id: idSchema, id: idSchema, answer: captionList }),
    rows: ({ value: { question_id, id = question_id, answer: captions }, at, picture }, _, i) => [
      { kind: "captions", id: String(id ?? i), picture: picture(["image"]), captions, at },
    ],
  }),
];

export const nocaps: readonly Layout[] = [
  fileLayout({
    name: "nocaps_val_4500_captions.json",
    splits: ["val"],
    files: (split) => [new RegExp(`(^|/)nocaps_${split}_\\d+_captions\\.json$`)],
    read: readCoco,
  }),
  parquetLayout({
    splits: ["val"],
    aliases: { val: ["validation"] },
    schema: z.object({
      image_id: idSchema,
      image_open_images_id: idSchema,
      annotations_captions: captionList,
      image_domain: z.string().optional(),
    }),
    rows: ({ value, at, picture }, _split, index) => [
      {
        kind: "captions",
        id: String(value.image_id ?? value.image_open_images_id ?? index),
        picture: picture(["image"]),
        captions: value.annotations_captions,
        type: value.image_domain,
        at,
      },
    ],
  }),
];

const textCapsFile = z.object({
  data: z.array(
    z.object({
      image_id: z.string().min(1),
      image_path: z.string().optional(),
      caption_str: z.string(),
      /** All of the picture's, in each of its entries. */
      reference_strs: captionList.optional(),
    }),
  ),
});

/** One entry a caption: a picture's are brought together. */
async function readTextCaps(folder: DataFolder, file: string): Promise<CaptionRow[]> {
  const path = folder.resolve(file);
  const { data } = await readJson(path, textCapsFile);
  const byPicture = Map.groupBy(entriesOf(path, data, "data"), ({ value }) => value.image_id);
  return [...byPicture].map(([id, [first, ...others]]) => {
    const { value, at } = first!;
    const captions = [first!, ...others].map((entry) => entry.value.caption_str);
    return {
      kind: "captions",
      id,
      picture: folder.picture([`${value.image_id}.jpg`, value.image_path ?? ""], at),
      captions: value.reference_strs ?? captions,
      at,
    };
  });
}

export const textCaps: readonly Layout[] = [
  fileLayout({
    name: "TextCaps_0.1_val.json",
    splits: ["val", "train"],
    files: (split) => [new RegExp(`(^|/)TextCaps_[\\d.]+_${split}\\.json$`)],
    read: readTextCaps,
  }),
  parquetLayout({
    splits: ["val", "train"],
    aliases: { val: ["validation"] },
    schema: z.object({
      image_id: idSchema,
      question_id: idSchema,
      caption_str: captionList.optional(),
      reference_strs: captionList.optional(),
    }),
    rows({ value, at, picture }, _split, index) {
      const captions = value.caption_str ?? value.reference_strs;
      if (captions === undefined) throw wrongData(at, "caption_str or reference_strs", "neither");
      const id = String(value.image_id ?? value.question_id ?? index);
      return [{ kind: "captions", id, picture: picture(["image"]), captions, at }];
    },
  }),
];

/** `1000092795.jpg#0`, a tab, a caption. */
const tokenLine = /^([^\t]+)#(\d+)\t(.*)$/;

async function readTokens(folder: DataFolder, file: string): Promise<CaptionRow[]> {
  const path = folder.resolve(file);
  const lines = (await readDataText(path)).split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const at = `${path}:${i + 1}`;
    const match = tokenLine.exec(line.replace(/\r$/, ""));
    if (match === null) throw wrongData(at, "PICTURE#NUMBER, a tab and a caption", line);
    return [{ name: match[1]!, caption: match[3]!, at }];
  });
  return [...Map.groupBy(lines, ({ name }) => name)].map(([name, own]) => ({
    kind: "captions",
    id: name,
    picture: folder.picture(name, own[0]!.at),
    captions: own.map(({ caption }) => caption),
    at: own[0]!.at,
  }));
}

export const flickr30k: readonly Layout[] = [
  fileLayout({
    name: "dataset_flickr30k.json",
    splits: ["test", "val", "train"],
    files: () => [/(^|\/)dataset_flickr30k\.json$/],
    read: readKarpathy,
  }),
  fileLayout({
    name: "results_20130124.token",
    splits: ["all"],
    files: () => [/(^|\/)results_20130124\.token$/, /(^|\/)results[^/]*\.token$/],
    read: readTokens,
  }),
  parquetLayout({
    splits: ["test", "val", "train"],
    schema: z.object({
      img_id: idSchema,
      filename: z.string().optional(),
      caption: captionList,
      /** All pictures come in files of one split; this is Karpathy's. */
      split: z.string().optional(),
    }),
    rows({ value, at, picture }, split, index) {
      if (value.split !== undefined && value.split !== split) return [];
      const id = String(value.filename ?? value.img_id ?? index);
      return [{ kind: "captions", id, picture: picture(["image"]), captions: value.caption, at }];
    },
  }),
];
