import type { z } from "zod";
import { jsonEntries } from "../jsonRecords.ts";
import { listRecords, type Format } from "../listed.ts";
import { dataError, parseRecord, type Report } from "../mistakes.ts";
import { picturesIn, type Pictures } from "../pictures.ts";
import type { ListedSet } from "../sample.ts";

/** A published set that is one list of annotations and one folder of pictures. */
interface Annotations<Schema extends z.ZodType, Item> {
  readonly schema: Schema;
  /** What the list is called where the file holds an object. */
  readonly list?: string;
  items(
    record: z.output<Schema>,
    found: { readonly pictures: Pictures; readonly place: string },
  ): Promise<readonly Item[]>;
  readonly sample: Format<Item>["sample"];
}

/** How such a set is opened: its annotation file and the folder of its pictures. */
export function annotated<Schema extends z.ZodType, Item>({
  schema,
  list = "annotations",
  items,
  sample,
}: Annotations<Schema, Item>) {
  return (data: string, images: string | undefined, report: Report): Promise<ListedSet> => {
    if (images === undefined)
      throw dataError(data, "images: want the folder of its pictures, got none");
    const pictures = picturesIn(images);
    const format: Format<Item> = {
      items: (record, place) => items(parseRecord(schema, record, place), { pictures, place }),
      sample,
    };
    return listRecords(jsonEntries(data, list), format, report);
  };
}
