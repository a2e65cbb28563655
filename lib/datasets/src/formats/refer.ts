/** Referring expressions in the pickles of the REFER distribution: `refs(unc).p` and its like. */
import { readFile } from "node:fs/promises";
import { readPickle } from "@tinygptv/convert";
import { whatWasRead } from "@tinygptv/model/disk";
import { z } from "zod";
import { wrongData } from "../wrongData.ts";
import { checkEntry, type Entry } from "./json.ts";

const referenceSchema = z.object({
  ref_id: z.number().int(),
  ann_id: z.number().int(),
  image_id: z.number().int(),
  split: z.string(),
  sentences: z.array(z.object({ sent_id: z.number().int(), sent: z.string() })).min(1),
});

/** An object of a picture and the sentences that mean it. */
export type Reference = z.infer<typeof referenceSchema>;

/**
 * Reads a file of references; nothing in it is run.
 * @throws TinyGptvError "checkpoint" for a damaged pickle, "parameter" for other data, naming file and entry
 */
export async function readReferences(path: string): Promise<Entry<Reference>[]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw wrongData(path, "a pickle of references", whatWasRead(cause), cause);
  });
  const list = readPickle(path, bytes);
  if (!Array.isArray(list)) throw wrongData(path, "a list of references", "something else");
  return list.map((value: unknown, i) => {
    const at = `${path}: [${i}]`;
    return { value: checkEntry(referenceSchema, plain(value), at), at };
  });
}

/** Dicts as objects, as JSON has them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const entries = [...(value as Map<unknown, unknown>)];
  return Object.fromEntries(entries.map(([key, one]) => [String(key), plain(one)]));
}
