/** COCO's objects: where in a picture the things of one category are. */
import type { DataFolder } from "../dataFolder.ts";
import { readCocoInstances, sizeOf } from "../formats/coco.ts";
import { fileLayout, type Layout } from "../layout.ts";
import type { Row } from "../row.ts";

/** A row for every category of a picture; crowds, whose boxes hold many things, are left out. */
async function read(folder: DataFolder, file: string): Promise<Row[]> {
  const instances = await readCocoInstances(folder.resolve(file));
  const single = instances.filter(({ isCrowd }) => !isCrowd);
  const groups = Map.groupBy(single, ({ image, category }) => `${image.id}/${category}`);
  return [...groups].map(([id, own]) => {
    const { image, category, at } = own[0]!;
    return {
      kind: "phrase",
      id,
      picture: folder.picture(image.file_name, at),
      phrase: category,
      boxes: own.map(({ box }) => box),
      size: sizeOf(image),
      type: category,
      at,
    };
  });
}

export const cocoDetection: readonly Layout[] = [
  fileLayout({
    name: "instances_val2017.json",
    splits: ["val", "train"],
    files: (split) => [new RegExp(`(^|/)instances_${split}20(14|17)\\.json$`)],
    read,
  }),
];
