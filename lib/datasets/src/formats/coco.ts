/** Annotation files of COCO: captions and instances. NoCaps has the same form. */
import { z } from "zod";
import type { PixelBox } from "../row.ts";
import { wrongData } from "../wrongData.ts";
import { entriesOf, readJson } from "./json.ts";

const image = z.object({
  id: z.number().int(),
  file_name: z.string().min(1),
  width: z.number().positive().optional(),
  height: z.number().positive().optional(),
  /** Of NoCaps: `in-domain`, `near-domain`, `out-domain`. */
  domain: z.string().optional(),
});

/** A picture as an annotation file lists it. */
export type CocoImage = z.infer<typeof image>;

const captionFile = z.object({
  images: z.array(image),
  annotations: z.array(z.object({ image_id: z.number().int(), caption: z.string() })),
});

/** A picture with its captions. */
export interface CocoCaptions {
  readonly image: CocoImage;
  readonly captions: readonly string[];
  readonly at: string;
}

/**
 * Captions by picture, in the order of the pictures.
 * @throws TinyGptvError "parameter", naming the file and the entry
 */
export async function readCocoCaptions(path: string): Promise<CocoCaptions[]> {
  const { images, annotations } = await readJson(path, captionFile);
  const captions = new Map<number, string[]>(images.map(({ id }) => [id, []]));
  for (const { value, at } of entriesOf(path, annotations, "annotations")) {
    const known = captions.get(value.image_id);
    if (known === undefined) throw wrongData(at, "a picture of the file", `${value.image_id}`);
    known.push(value.caption);
  }
  return entriesOf(path, images, "images").map(({ value, at }) => {
    const own = captions.get(value.id)!;
    if (own.length === 0) throw wrongData(at, "captions of the picture", "none");
    return { image: value, captions: own, at };
  });
}

const box = z.tuple([z.number(), z.number(), z.number().min(0), z.number().min(0)]);

const instanceFile = z.object({
  images: z.array(image),
  annotations: z.array(
    z.object({
      id: z.number().int(),
      image_id: z.number().int(),
      category_id: z.number().int(),
      /** x, y, width, height in pixels. */
      bbox: box,
      iscrowd: z.literal([0, 1]).optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.number().int(), name: z.string().min(1) })),
});

/** An object of a picture. */
export interface CocoInstance {
  readonly id: number;
  readonly image: CocoImage;
  readonly category: string;
  readonly box: PixelBox;
  /** Many objects in one box. */
  readonly isCrowd: boolean;
  readonly at: string;
}

/** @throws TinyGptvError "parameter", naming the file and the entry */
export async function readCocoInstances(path: string): Promise<CocoInstance[]> {
  const file = await readJson(path, instanceFile);
  const images = new Map(file.images.map((one) => [one.id, one]));
  const categories = new Map(file.categories.map(({ id, name }) => [id, name]));
  return entriesOf(path, file.annotations, "annotations").map(({ value, at }) => {
    const picture = images.get(value.image_id);
    if (picture === undefined) throw wrongData(at, "a picture of the file", `${value.image_id}`);
    const category = categories.get(value.category_id);
    if (category === undefined)
      throw wrongData(at, "a category of the file", `${value.category_id}`);
    const isCrowd = value.iscrowd === 1;
    return { id: value.id, image: picture, category, box: toCorners(value.bbox), isCrowd, at };
  });
}

/** Corners of a box of x, y, width and height. */
export function toCorners([x, y, width, height]: z.infer<typeof box>): PixelBox {
  return [x, y, x + width, y + height];
}

/** The size of a picture, where the file tells. */
export function sizeOf({
  width,
  height,
}: CocoImage): { width: number; height: number } | undefined {
  return width === undefined || height === undefined ? undefined : { width, height };
}

/** x, y, width, height in pixels. */
export const cocoBox = box;
