import type { TinyGptvError } from "@tinygptv/protocol";
import { dataError, reporting, strict, type Report } from "./mistakes.ts";
import { joined } from "./listed.ts";
import { openOwn } from "./own/own.ts";
import { openCocoCaptions, openTextCaps } from "./readers/captions.ts";
import { openCcSbuAlign } from "./readers/ccSbuAlign.ts";
import { openCaptionToPhrase, openGroundedCaptions, openObjectToPhrase } from "./readers/flickr.ts";
import { openConversations, openFirstRounds } from "./readers/llava.ts";
import { openOcrVqa } from "./readers/ocrVqa.ts";
import { openInverseRefer, openRefer } from "./readers/refer.ts";
import { openUnnatural } from "./readers/unnatural.ts";
import { openVisualGenome } from "./readers/visualGenome.ts";
import { openAokVqa, openCocoVqa, openGqa } from "./readers/vqa.ts";
import type { ListedSet, OpenSet } from "./sample.ts";
import { openShards } from "./shards/shards.ts";

/** Where a data set is, and in what format. */
export interface DataSetSpec {
  /** What it is called in messages; part of what its order depends on. */
  readonly name: string;
  readonly format: DataFormat;
  /** A file, a folder or a pattern of shards, as the format has it; or several. */
  readonly data: string | readonly string[];
  /** Folder of the pictures, where the format does not say it. */
  readonly images?: string | undefined;
}

/** Opens one file or folder. */
type OpenListed = (data: string, images: string | undefined, report: Report) => Promise<ListedSet>;

/** Sets whose samples have numbers, by the names that the reference's configs give them. */
const listedFormats = {
  own: openOwn,
  cc_sbu_align: openCcSbuAlign,
  multitask_conversation: openConversations,
  llava_conversation: openConversations,
  llava_detail: openFirstRounds,
  llava_reason: openFirstRounds,
  unnatural_instruction: openUnnatural,
  refvg: openVisualGenome,
  flickr_grounded_caption: openGroundedCaptions,
  flickr_CaptionToPhrase: openCaptionToPhrase,
  flickr_ObjectToPhrase: openObjectToPhrase,
  coco_caption: openCocoCaptions,
  textcaps_caption: openTextCaps,
  refcoco: openRefer("refcoco"),
  refcocop: openRefer("refcoco+"),
  refcocog: openRefer("refcocog"),
  invrefcoco: openInverseRefer("refcoco"),
  invrefcocop: openInverseRefer("refcoco+"),
  invrefcocog: openInverseRefer("refcocog"),
  coco_vqa: openCocoVqa,
  ok_vqa: openCocoVqa,
  aok_vqa: openAokVqa,
  gqa: openGqa,
  ocrvqa: openOcrVqa,
} satisfies Record<string, OpenListed>;

/** Sets that are read on and on. */
const endlessFormats = {
  laion: openShards,
  cc_sbu: openShards,
};

/** Name of a format. */
export type DataFormat = keyof typeof listedFormats | keyof typeof endlessFormats;

/** All formats that are read. */
export const dataFormats = [
  ...Object.keys(listedFormats),
  ...Object.keys(endlessFormats),
] as DataFormat[];

/**
 * Opens a data set: reads and checks its annotations.
 *
 * @param report what is told of each mistake; the first is an error where it is not given
 * @throws TinyGptvError "data": something is missing or wrong
 */
export async function openDataSet(spec: DataSetSpec, report: Report = strict): Promise<OpenSet> {
  const { name, format, images } = spec;
  const data = [spec.data].flat();
  if (data.length === 0) throw dataError(name, "data: want at least one file or folder, got none");
  if (isIn(endlessFormats, format)) return endlessFormats[format](data, report);
  if (!isIn(listedFormats, format))
    throw dataError(name, `format: want one of ${dataFormats.join(", ")}, got ${String(format)}`);
  const sets: ListedSet[] = [];
  for (const one of data) sets.push(await listedFormats[format](one, images, report));
  return joined(sets);
}

const isIn = <Table extends object>(table: Table, name: PropertyKey): name is keyof Table =>
  Object.hasOwn(table, name);

/** What an answer may be long, counted as the model's tokenizer does. */
export interface AnswerLimit {
  readonly maxAnswerTokens: number;
  /** As the model's tokenizer counts. */
  countTokens(text: string): number;
}

/**
 * All that is wrong with a data set, in the order in which it stands there: what `openDataSet`
 * would throw first, and what comes after it.
 *
 * @param limit where it is given, answers that would be cut are mistakes, too
 */
export async function findMistakes(
  spec: DataSetSpec,
  limit?: AnswerLimit,
): Promise<TinyGptvError[]> {
  const mistakes: TinyGptvError[] = [];
  const report: Report = (mistake) => void mistakes.push(mistake);
  const set = await reporting(report, () => openDataSet(spec, report));
  if (limit === undefined || set?.kind !== "listed") return mistakes;
  for (let i = 0; i < set.length; i++) {
    const { place, rounds } = await set.sample(i, () => 0);
    const tokens = rounds.reduce((sum, { answer }) => sum + limit.countTokens(answer), 0);
    if (tokens > limit.maxAnswerTokens)
      mistakes.push(
        dataError(place, `want answers of at most ${limit.maxAnswerTokens} tokens, got ${tokens}`),
      );
  }
  return mistakes;
}
