/** The benchmarks: which data, how it is asked, how answers are scored. Prompts and the rules called `reference` are those of the reference's scripts. */
import { datasetNames, type DatasetName, type Row } from "@tinygptv/datasets";
import { TinyGptvError, type Template } from "@tinygptv/protocol";
import type { Wording } from "./question.ts";
import { detectionRules, referRules } from "./rules/boxes.ts";
import { captionRules } from "./rules/captions/rules.ts";
import type { Rule } from "./rules/rule.ts";
import {
  gqaRules,
  hatefulMemesRules,
  iconqaRules,
  okvqaRules,
  ownRules,
  vizwizRules,
  vsrRules,
} from "./rules/text.ts";

/** One benchmark. */
export interface Benchmark {
  readonly title: string;
  readonly wording: Wording;
  /** Unless another one is chosen. */
  readonly template: Template;
  /** Tokens of an answer at most, unless said otherwise. */
  readonly maxNewTokens: number;
  /** The first decides where runs disagree. */
  readonly rules: readonly Rule[];
}

/** What a row of another kind would mean: a reader and its benchmark do not fit. */
function textIn(row: Row): string {
  switch (row.kind) {
    case "question":
    case "choice":
      return row.question;
    case "label":
      return row.text;
    case "phrase":
      return row.phrase;
    case "captions":
      return "";
  }
}

const shortly: Wording = {
  task: "vqa",
  text: (row) => `Based on the image, respond to this question with a short answer: ${textIn(row)}`,
};

const scripted = { template: "evaluation", maxNewTokens: 20 } as const;

const caption = {
  // The reference has no script for captions: one of the instructions it was trained with.
  wording: { task: "caption", text: () => "Briefly describe this image." },
  template: "evaluation",
  maxNewTokens: 64,
  rules: captionRules,
} as const;

const refer = {
  ...scripted,
  wording: { task: "refer", text: (row: Row) => `give me the location of ${textIn(row)}` },
  rules: referRules,
} as const;

const benchmarks: Readonly<Record<DatasetName, Benchmark>> = {
  vsr: {
    ...scripted,
    title: "VSR",
    wording: {
      task: "vqa",
      text: (row) => `Based on the image, is this statement true or false? ${textIn(row)}`,
    },
    rules: vsrRules,
  },
  gqa: { ...scripted, title: "GQA", wording: shortly, rules: gqaRules },
  iconvqa: {
    ...scripted,
    title: "IconVQA",
    wording: shortly,
    template: "choice",
    rules: iconqaRules,
  },
  vizwiz: {
    ...scripted,
    title: "VizWiz",
    wording: {
      task: "vqa",
      text: (row) =>
        `The question is '${textIn(row)}' Based on the image, answer the question with a single word or phrase. and reply 'unanswerable' when the provided information is insufficient`,
    },
    rules: vizwizRules,
  },
  hm: {
    ...scripted,
    title: "Hateful Memes",
    wording: {
      text: (row) =>
        `This is an image writting '${textIn(row)}'. Is this image hateful? Answer yes or no. Answer:`,
    },
    rules: hatefulMemesRules,
  },
  okvqa: { ...scripted, title: "OK-VQA", wording: shortly, rules: okvqaRules },
  refcoco: { ...refer, title: "RefCOCO" },
  "refcoco+": { ...refer, title: "RefCOCO+" },
  refcocog: { ...refer, title: "RefCOCOg" },
  coco: { ...caption, title: "COCO captions" },
  nocaps: { ...caption, title: "NoCaps" },
  textcaps: { ...caption, title: "TextCaps" },
  flickr30k: { ...caption, title: "Flickr30k" },
  "coco-detection": {
    title: "COCO detection",
    wording: { task: "detection", text: textIn },
    template: "evaluation",
    maxNewTokens: 200,
    rules: detectionRules,
  },
  own: {
    title: "Own questions",
    wording: { text: textIn },
    template: "stage4",
    maxNewTokens: 128,
    rules: ownRules,
  },
};

/** The name of a benchmark. */
export type BenchmarkName = DatasetName;
/** Names of all benchmarks. */
export const benchmarkNames: readonly BenchmarkName[] = datasetNames;

/** A benchmark by its name. @throws TinyGptvError "parameter" for a name that is none */
export function benchmarkNamed(name: string): Benchmark {
  if (Object.hasOwn(benchmarks, name)) return benchmarks[name as BenchmarkName];
  throw new TinyGptvError(
    "parameter",
    `benchmark: want one of ${benchmarkNames.join(", ")}, got ${name}`,
    { subject: "benchmark" },
  );
}
