/** The files of Karpathy's splits: `dataset_coco.json`, `dataset_flickr30k.json`. */
import { z } from "zod";
import { entriesOf, readJson } from "./json.ts";

const schema = z.object({
  images: z.array(
    z.object({
      filename: z.string().min(1),
      filepath: z.string().optional(),
      split: z.string(),
      sentences: z.array(z.object({ raw: z.string() })).min(1),
    }),
  ),
});

/** A picture with its captions. */
export interface SplitCaptions {
  /** Path of the picture, as far as the file tells it. */
  readonly picture: string;
  readonly captions: readonly string[];
  readonly at: string;
}

/** @throws TinyGptvError "parameter", naming the file and the entry */
export async function readKarpathySplit(path: string, split: string): Promise<SplitCaptions[]> {
  const { images } = await readJson(path, schema);
  return entriesOf(path, images, "images")
    .filter(({ value }) => value.split === split)
    .map(({ value, at }) => ({
      picture:
        value.filepath === undefined ? value.filename : `${value.filepath}/${value.filename}`,
      captions: value.sentences.map(({ raw }) => raw),
      at,
    }));
}
