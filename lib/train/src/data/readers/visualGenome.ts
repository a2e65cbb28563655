import { join } from "node:path";
import { z } from "zod";
import { clean } from "../cleaner.ts";
import { jsonEntries } from "../jsonRecords.ts";
import { listRecords } from "../listed.ts";
import { dataError, parseRecord, type Report } from "../mistakes.ts";
import { picturesIn } from "../pictures.ts";
import { referInstructions } from "../prompts/refer.ts";
import { pick } from "../random.ts";
import type { ListedSet } from "../sample.ts";
import { aboutPicture, fill } from "../wording.ts";
import { boxText } from "./box.ts";

const side = z.number().positive();
/** Older releases call the number of a picture `id`. */
const numbered = { id: z.int().optional(), image_id: z.int().optional() };
const imageRecord = z.object({ ...numbered, url: z.string(), width: side, height: side });
const region = z.object({
  phrase: z.string(),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});
const regionsRecord = z.object({ id: z.int(), regions: z.array(region) });

/** Larger regions are no question of place: OFA's practice, which the reference follows. In pixels. */
const areaLimit = 16_384;

interface GenomePicture {
  /** Below the folder: `VG_100K_2/1.jpg`, the end of its address. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** Where is PHRASE? From the folder with `image_data.json`, `region_descriptions.json`, `VG_100K` and `VG_100K_2`. */
export async function openVisualGenome(
  folder: string,
  images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  const pictures = picturesIn(images ?? folder);
  const known = await readPictures(join(folder, "image_data.json"));
  return listRecords(
    jsonEntries(join(folder, "region_descriptions.json"), "annotations"),
    {
      async items(value, place) {
        const { id, regions } = parseRecord(regionsRecord, value, place);
        const small = regions.filter(({ width, height }) => width * height < areaLimit);
        if (small.length === 0) return [];
        const picture = known.get(id);
        if (picture === undefined)
          throw dataError(place, `want picture ${id} in image_data.json, got none`);
        const path = await pictures.need(picture.name, place);
        return small.map((one) => ({ ...one, picture: path, size: picture }));
      },
      sample({ picture, size, phrase, x, y, width, height }, random) {
        const question = fill(pick(random, referInstructions), clean(phrase));
        const answer = boxText([x, y, width, height], size);
        return { picture, rounds: [{ instruction: aboutPicture(question), answer }] };
      },
    },
    report,
  );
}

async function readPictures(path: string): Promise<Map<number, GenomePicture>> {
  const file = jsonEntries(path, "annotations");
  const pictures = new Map<number, GenomePicture>();
  for await (const { text, number } of file.read()) {
    const place = file.place(number);
    const { id, image_id, url, width, height } = parseRecord(
      imageRecord,
      file.parse(text, number),
      place,
    );
    const key = id ?? image_id;
    if (key === undefined) throw dataError(place, "want an image_id, got none");
    pictures.set(key, { name: url.split("/").slice(-2).join("/"), width, height });
  }
  return pictures;
}
