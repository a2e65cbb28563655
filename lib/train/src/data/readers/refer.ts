import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readPickle } from "@tinygptv/convert";
import { whatWasRead } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { z } from "zod";
import { clean } from "../cleaner.ts";
import { jsonEntries } from "../jsonRecords.ts";
import { listItems, type Format } from "../listed.ts";
import { dataError, parseRecord, reporting, type Report } from "../mistakes.ts";
import { picturesIn } from "../pictures.ts";
import { identifyInstructions } from "../prompts/identify.ts";
import { referInstructions } from "../prompts/refer.ts";
import { pick, type Random } from "../random.ts";
import type { ListedSet } from "../sample.ts";
import { aboutPicture, fill } from "../wording.ts";
import { boxText, type PixelBox } from "./box.ts";

const refRecord = z.object({
  ann_id: z.int(),
  image_id: z.int(),
  split: z.string(),
  sentences: z.array(z.object({ raw: z.string() })).min(1),
});
type Ref = z.output<typeof refRecord>;
const annotationRecord = z.object({
  id: z.int(),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
});
const imageRecord = z.object({
  id: z.int(),
  width: z.number().positive(),
  height: z.number().positive(),
});

/** A thing in a picture, and what people called it. */
interface Referred {
  readonly place: string;
  readonly picture: string;
  readonly box: string;
  readonly sentences: readonly string[];
}

/** The sets of REFER and who cut them into parts, as the reference's configs have them. */
type ReferName = "refcoco" | "refcoco+" | "refcocog";
const splits: Readonly<Record<ReferName, string>> = {
  refcoco: "unc",
  "refcoco+": "unc",
  refcocog: "umd",
};

const sentence = ({ sentences }: Referred, random: Random) => clean(pick(random, sentences));

/** Where is PHRASE? */
export const openRefer = (name: ReferName) =>
  refer(name, (item, random) => {
    const phrase = sentence(item, random);
    return { question: fill(pick(random, referInstructions), phrase), answer: item.box };
  });

/** What is in BOX? The phrase is cleaned twice, as in the reference. */
export const openInverseRefer = (name: ReferName) =>
  refer(name, (item, random) => {
    const phrase = sentence(item, random);
    return { question: fill(pick(random, identifyInstructions), item.box), answer: clean(phrase) };
  });

/** From the folder that has a folder of each set (`refcoco`, `refcoco+`, `refcocog`): `refs(unc).p`, `instances.json`. */
function refer(
  name: ReferName,
  ask: (item: Referred, random: Random) => { question: string; answer: string },
) {
  return async (folder: string, images: string | undefined, report: Report): Promise<ListedSet> => {
    if (images === undefined)
      throw dataError(folder, "images: want the folder of its pictures, got none");
    const refsPath = join(folder, name, `refs(${splits[name]}).p`);
    const instances = join(folder, name, "instances.json");
    const refs = await readRefs(refsPath, report);
    const boxes = await boxesOf(instances, new Set(refs.map(({ ref }) => ref.ann_id)));
    const sizes = await sizesOf(instances);
    const pictures = picturesIn(images);
    const items: Referred[] = [];
    for (const { ref, place } of refs)
      await reporting(report, async () => {
        const box = boxes.get(ref.ann_id);
        if (box === undefined)
          throw dataError(place, `want annotation ${ref.ann_id} in instances.json, got none`);
        const size = sizes.get(ref.image_id);
        if (size === undefined)
          throw dataError(place, `want image ${ref.image_id} in instances.json, got none`);
        const file = `COCO_train2014_${String(ref.image_id).padStart(12, "0")}.jpg`;
        const picture = await pictures.need(file, place);
        const sentences = ref.sentences.map(({ raw }) => raw);
        items.push({ place, picture, box: boxText(box, size), sentences });
      });
    const sample: Format<Referred>["sample"] = (item, random) => {
      const { question, answer } = ask(item, random);
      return { picture: item.picture, rounds: [{ instruction: aboutPicture(question), answer }] };
    };
    return listItems(items, sample);
  };
}

async function readRefs(path: string, report: Report): Promise<{ ref: Ref; place: string }[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw dataError(path, `want a file, got ${whatWasRead(error)}`, error);
  });
  const list = unpickled(path, bytes);
  if (!Array.isArray(list))
    throw dataError(basename(path), "want a list of refs, got another thing");
  const refs: { ref: Ref; place: string }[] = [];
  for (const [i, value] of list.entries())
    await reporting(report, () => {
      const place = `${basename(path)}[${i}]`;
      const ref = parseRecord(refRecord, fromPython(value), place);
      if (ref.split === "train") refs.push({ ref, place });
    });
  return refs;
}

function unpickled(path: string, bytes: Uint8Array): unknown {
  try {
    return readPickle(path, bytes);
  } catch (cause) {
    // Its message begins with the file; to us a pickle is data, not a checkpoint.
    throw new TinyGptvError("data", (cause as Error).message, { subject: path, cause });
  }
}

/** A ref and its sentences as objects; they are dicts. */
function fromPython(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const { sentences, ...ref } = Object.fromEntries(value) as Record<string, unknown>;
  const asObject = (one: unknown) => (one instanceof Map ? Object.fromEntries(one) : one);
  return { ...ref, sentences: Array.isArray(sentences) ? sentences.map(asObject) : sentences };
}

async function boxesOf(path: string, wanted: ReadonlySet<number>): Promise<Map<number, PixelBox>> {
  const boxes = new Map<number, PixelBox>();
  for await (const { id, bbox } of recordsOf(path, "annotations", annotationRecord))
    if (wanted.has(id)) boxes.set(id, bbox);
  return boxes;
}

async function sizesOf(path: string): Promise<Map<number, { width: number; height: number }>> {
  const sizes = new Map<number, { width: number; height: number }>();
  for await (const { id, width, height } of recordsOf(path, "images", imageRecord))
    sizes.set(id, { width, height });
  return sizes;
}

/** The checked records of a list of a file, each of which is needed. */
async function* recordsOf<Schema extends z.ZodType>(path: string, list: string, schema: Schema) {
  const file = jsonEntries(path, list);
  for await (const { text, number } of file.read())
    yield parseRecord(schema, file.parse(text, number), file.place(number));
}
