import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { expect, test } from "vitest";
import { openDataSet, type DataSetSpec } from "../dataSets.ts";
import { fixture } from "../testing/fixtures.ts";

interface Given {
  readonly picture: string | null;
  readonly questions: string[] | null;
  readonly answers: string[];
}
const golden = JSON.parse(readFileSync(fixture("golden.json"), "utf8")) as Record<string, Given[]>;

const coco = "coco/train2014";
const flickr = "filtered_flickr/images";
const refs = { data: ["refcoco_annotations"], images: coco };
const places: Record<string, { data: string[]; images?: string }> = {
  cc_sbu_align: { data: ["cc_sbu_align"] },
  multitask_conversation: {
    data: ["multitask_conversation/multitask_conversation.json"],
    images: coco,
  },
  llava_conversation: { data: ["llava/conversation_58k.json"], images: coco },
  llava_detail: { data: ["llava/detail_23k.json"], images: coco },
  llava_reason: { data: ["llava/complex_reasoning_77k.json"], images: coco },
  unnatural_instruction: { data: ["unnatural_instructions/filtered_unnatural_instruction.json"] },
  refvg: { data: ["visual_genome"] },
  flickr_grounded_caption: { data: ["filtered_flickr/groundedcaption.json"], images: flickr },
  flickr_CaptionToPhrase: { data: ["filtered_flickr/captiontobbox.json"], images: flickr },
  flickr_ObjectToPhrase: { data: ["filtered_flickr/phrasetobbox.json"], images: flickr },
  coco_caption: { data: ["coco_captions/annotations/coco_karpathy_train.json"], images: coco },
  textcaps_caption: {
    data: ["textcaps/TextCaps_0.1_train.json"],
    images: "textcaps/train_images",
  },
  refcoco: refs,
  refcocop: refs,
  refcocog: refs,
  invrefcoco: refs,
  invrefcocop: refs,
  invrefcocog: refs,
  coco_vqa: { data: ["vqav2/vqa_train.json", "vqav2/vqa_val.json"], images: coco },
  ok_vqa: { data: ["okvqa/okvqa_train.json"], images: coco },
  aok_vqa: { data: ["aokvqa/aokvqa_v1p0_train.json"], images: coco },
  gqa: { data: ["gqa/train_balanced_questions.json"], images: "gqa/images" },
  ocrvqa: { data: ["ocrvqa/dataset.json"], images: "ocrvqa/images" },
};

/** Pairs of draws that between them reach every one of 17 and, after it, every one of 7. */
const draws = Array.from({ length: 17 * 7 }, (_, i) => [
  ((i % 17) + 0.5) / 17,
  (Math.floor(i / 17) + 0.5) / 7,
]);

async function everything(format: string): Promise<Given[]> {
  const { data, images } = places[format]!;
  const set = await openDataSet({
    name: format,
    format: format as DataSetSpec["format"],
    data: data.map(fixture),
    images: images && fixture(images),
  });
  if (set.kind !== "listed") throw new Error("want a listed set");
  const found = new Map<string, Given>();
  for (const drawn of draws)
    for (let i = 0; i < set.length; i++) {
      let next = 0;
      const { picture, rounds } = await set.sample(i, () => drawn[next++]!);
      const questions = rounds.flatMap(({ instruction }) => instruction ?? []);
      const given = {
        picture: picture === undefined ? null : relative(fixture(""), picture),
        questions: questions.length > 0 ? questions : null,
        answers: rounds.map(({ answer }) => answer),
      };
      found.set(JSON.stringify(given), given);
    }
  return [...found.values()];
}

test.each(Object.keys(golden))(
  "%s gives what the reference does, all of it and no more",
  async (format) => {
    const byText = (a: Given, b: Given) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    // A last question without an answer, on which the reference trains as on words of its own, is left out here.
    const want = golden[format]!.map(({ picture, questions, answers }) => ({
      picture,
      questions: questions && questions.slice(0, answers.length),
      answers,
    }));
    expect((await everything(format)).toSorted(byText)).toEqual(want.toSorted(byText));
  },
);
