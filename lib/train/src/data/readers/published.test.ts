import { expect, test } from "vitest";
import { findMistakes, openDataSet, type DataFormat } from "../dataSets.ts";
import { allSamples, fixture } from "../testing/fixtures.ts";

const last = () => 0.999_999;
const coco = fixture("coco/train2014");
const red = fixture("coco/train2014/COCO_train2014_000000000009.jpg");
const blue = fixture("coco/train2014/COCO_train2014_000000000025.jpg");

const samples = (format: DataFormat, data: string, images?: string, random?: () => number) =>
  allSamples({ format, data: fixture(data), images }, random);
/** The only round of each sample. */
async function rounds(...args: Parameters<typeof samples>): Promise<(string | undefined)[][]> {
  const found = await samples(...args);
  return found.map(({ rounds: [round] }) => [round?.instruction, round?.answer]);
}

test("LLaVA and multitask conversations: all rounds, nothing cleaned", async () => {
  expect(await samples("llava_conversation", "llava/conversation_58k.json", coco)).toEqual([
    {
      place: "conversation_58k.json[0]",
      picture: red,
      rounds: [
        {
          instruction: "<Img><ImageHere></Img> What is on the table? ",
          answer: "A red bowl.",
        },
        { instruction: "Is it FULL?\n ", answer: "No, it is empty." },
      ],
    },
    {
      place: "conversation_58k.json[1]",
      picture: blue,
      rounds: [{ instruction: "<Img><ImageHere></Img> Who is there? ", answer: "Nobody." }],
    },
  ]);
  const file = "multitask_conversation/multitask_conversation.json";
  const [sample] = await samples("multitask_conversation", file, coco);
  expect(sample?.rounds).toEqual([
    {
      instruction: "<Img><ImageHere></Img> [refer] the bowl ",
      answer: "{<1><2><3><4>}",
    },
    { instruction: "[vqa] What colour is it? ", answer: "Red" },
  ]);
});

test("LLaVA detail and reason: the question cleaned, the answer as it is", async () => {
  expect(await rounds("llava_detail", "llava/detail_23k.json", coco)).toEqual([
    ["<Img><ImageHere></Img> describe the image what exactly is there? ", "A bowl. It is red."],
  ]);
  expect(await rounds("llava_reason", "llava/complex_reasoning_77k.json", coco)).toEqual([
    ["<Img><ImageHere></Img> why is it blue? ", "Because it was painted."],
  ]);
});

test("unnatural instructions: words alone, cleaned, the first instance with its constraints", async () => {
  const file = "unnatural_instructions/filtered_unnatural_instruction.json";
  expect(await samples("unnatural_instruction", file)).toEqual([
    {
      place: "filtered_unnatural_instruction.json[0]",
      picture: undefined,
      rounds: [{ instruction: "name a fruit one word", answer: "apple" }],
    },
    {
      place: "filtered_unnatural_instruction.json[1]",
      picture: undefined,
      rounds: [{ instruction: "count to three", answer: "1, 2, 3" }],
    },
  ]);
});

test("CC-SBU-align: captions as they are, without an instruction of their own", async () => {
  expect(await samples("cc_sbu_align", "cc_sbu_align")).toEqual([
    {
      place: "filter_cap.json[0]",
      picture: fixture("cc_sbu_align/image/2.jpg"),
      rounds: [{ instruction: undefined, answer: "A red square. It is RED!" }],
    },
    {
      place: "filter_cap.json[1]",
      picture: fixture("cc_sbu_align/image/3.jpg"),
      rounds: [{ instruction: undefined, answer: "A blue square." }],
    },
  ]);
});

test("Visual Genome: regions below 16,384 pixels; boxes cut to hundredths, also beyond the picture", async () => {
  const found = await samples("refvg", "visual_genome");
  expect(found.map(({ place, picture }) => [place, picture])).toEqual([
    ["region_descriptions.json[0]", fixture("visual_genome/VG_100K_2/1.jpg")],
    ["region_descriptions.json[0]", fixture("visual_genome/VG_100K_2/1.jpg")],
    ["region_descriptions.json[2]", fixture("visual_genome/VG_100K/10.jpg")],
  ]);
  expect(await rounds("refvg", "visual_genome")).toEqual([
    ["<Img><ImageHere></Img> [refer] the clock is green ", "{<52><9><68><30>}"],
    ["<Img><ImageHere></Img> [refer] a shade ", "{<95><-1><105><9>}"],
    ["<Img><ImageHere></Img> [refer] a dot ", "{<99><99><100><100>}"],
  ]);
  const [drawn] = await rounds("refvg", "visual_genome", undefined, last);
  expect(drawn?.[0]).toBe(
    "<Img><ImageHere></Img> [refer] where can I locate the the clock is green ? ",
  );
});

test("Flickr30k: captions with boxes, phrases of a caption, boxes of a phrase", async () => {
  const images = fixture("filtered_flickr/images");
  const of = (format: DataFormat, file: string, random?: () => number) =>
    rounds(format, `filtered_flickr/${file}`, images, random);
  expect(await of("flickr_grounded_caption", "groundedcaption.json", last)).toEqual([
    [
      "<Img><ImageHere></Img> [grounding] give a thorough description of what you see in this image ",
      "<p>A green square</p> {<0><0><99><99>} on nothing.",
    ],
  ]);
  expect(await of("flickr_CaptionToPhrase", "captiontobbox.json")).toEqual([
    [
      "<Img><ImageHere></Img> [detection] A green square on nothing. ",
      "<p>A green square</p> {<0><0><99><99>}",
    ],
  ]);
  expect(await of("flickr_ObjectToPhrase", "phrasetobbox.json")).toEqual([
    [
      "<Img><ImageHere></Img> [detection] A green square ",
      "<p>A green square</p> {<0><0><49><99>}<delim>{<50><0><99><99>}",
    ],
  ]);
});

test("TextCaps and COCO captions: cleaned, one of seventeen instructions", async () => {
  const textCaps = ["textcaps/TextCaps_0.1_train.json", fixture("textcaps/train_images")] as const;
  expect(await rounds("textcaps_caption", ...textCaps)).toEqual([
    ["<Img><ImageHere></Img> [caption] Briefly describe this image. ", "a sign says stop"],
  ]);
  const drawn = new Set<string | undefined>();
  for (let i = 0; i < 17; i++) {
    const [[instruction] = []] = await rounds("textcaps_caption", ...textCaps, () => i / 17);
    drawn.add(instruction);
  }
  expect(drawn.size).toBe(17);
  expect(drawn).toContain("<Img><ImageHere></Img> [caption] A photo of  ");

  const captions = "coco_captions/annotations/coco_karpathy_train.json";
  expect(await rounds("coco_caption", captions, coco, last)).toEqual([
    [
      "<Img><ImageHere></Img> [caption] Use a few words to illustrate what is happening in the picture. ",
      "a red bowl on a table",
    ],
  ]);
});

test.each([
  ["refcoco", "invrefcoco"],
  ["refcocop", "invrefcocop"],
  ["refcocog", "invrefcocog"],
] as const)("%s and %s: the train part, a drawn sentence, boxes", async (refer, inverse) => {
  const folder = "refcoco_annotations";
  const found = await samples(refer, folder, coco);
  expect(found.map(({ picture }) => picture)).toEqual([red, blue]);
  expect(found.map(({ place }) => place)).toEqual([
    expect.stringMatching(/^refs\((unc|umd)\)\.p\[0\]$/),
    expect.stringMatching(/^refs\((unc|umd)\)\.p\[2\]$/),
  ]);
  expect(await rounds(refer, folder, coco)).toEqual([
    ["<Img><ImageHere></Img> [refer] the red bowl ", "{<16><62><37><99>}"],
    ["<Img><ImageHere></Img> [refer] blue thing ", "{<0><0><100><100>}"],
  ]);
  expect(await rounds(inverse, folder, coco, last)).toEqual([
    ["<Img><ImageHere></Img> [identify] the object in {<16><62><37><99>} is ", "bowl on the left"],
    ["<Img><ImageHere></Img> [identify] the object in {<0><0><100><100>} is ", "blue thing"],
  ]);
});

test("COCO VQA and OK-VQA: both files, without the pictures that are not there", async () => {
  const data = [fixture("vqav2/vqa_train.json"), fixture("vqav2/vqa_val.json")];
  const found = await allSamples({ format: "coco_vqa", data, images: coco });
  expect(found).toEqual([
    {
      place: "vqa_train.json[0]",
      picture: red,
      rounds: [{ instruction: "<Img><ImageHere></Img> [vqa] what colour is it? ", answer: "red" }],
    },
    {
      place: "vqa_val.json[0]",
      picture: blue,
      rounds: [{ instruction: "<Img><ImageHere></Img> [vqa] where left ? ", answer: "left" }],
    },
  ]);
  expect(await rounds("ok_vqa", "okvqa/okvqa_train.json", coco, last)).toEqual([
    [
      "<Img><ImageHere></Img> [vqa] Based on the image, respond to this question with a short answer: what sport? ",
      "racing",
    ],
  ]);
});

test("answers are drawn as often as they were given", async () => {
  const set = await openDataSet({
    name: "vqa",
    format: "coco_vqa",
    data: fixture("vqav2/vqa_train.json"),
    images: coco,
  });
  if (set.kind !== "listed") throw new Error("want a listed set");
  const counts: Record<string, number> = {};
  // Four were asked: three said red, one dark red.
  for (let i = 0; i < 400; i++) {
    const {
      rounds: [round],
    } = await set.sample(0, () => i / 400);
    counts[round!.answer] = (counts[round!.answer] ?? 0) + 1;
  }
  expect(counts).toEqual({ red: 300, "dark red": 100 });
});

test("A-OKVQA: direct answers; GQA: its one answer", async () => {
  expect(await rounds("aok_vqa", "aokvqa/aokvqa_v1p0_train.json", coco, last)).toEqual([
    [
      "<Img><ImageHere></Img> [vqa] Based on the image, respond to this question with a short answer: what is blue ? ",
      "the sea",
    ],
  ]);
  const gqa = "gqa/train_balanced_questions.json";
  expect(await rounds("gqa", gqa, fixture("gqa/images"))).toEqual([
    ["<Img><ImageHere></Img> [vqa] is it green? ", "yes"],
  ]);
});

test("OCR-VQA: every question about a cover to train on that is there", async () => {
  const found = await samples("ocrvqa", "ocrvqa/dataset.json", fixture("ocrvqa/images"));
  expect(found.map(({ picture, rounds: [round] }) => [picture, round])).toEqual([
    [
      fixture("ocrvqa/images/1439277142.jpg"),
      { instruction: "<Img><ImageHere></Img> [vqa] who wrote this book? ", answer: "a writer" },
    ],
    [
      fixture("ocrvqa/images/1439277142.jpg"),
      { instruction: "<Img><ImageHere></Img> [vqa] what is the title? ", answer: "the title" },
    ],
  ]);
});

test.each([
  [
    "gqa",
    "gqa/train_balanced_questions.json",
    undefined,
    "images: want the folder of its pictures",
  ],
  ["gqa", "gqa/nothing.json", "gqa", "nothing.json: want a file, got no such file"],
  [
    "gqa",
    "gqa/train_balanced_questions.json",
    "coco",
    "train_balanced_questions.json[0]: want the picture 2370799.jpg, got no such file",
  ],
  [
    "gqa",
    "okvqa/okvqa_train.json",
    "coco",
    "okvqa_train.json[0]: answer: want a text, got a list of 2",
  ],
  [
    "textcaps_caption",
    "ocrvqa/dataset.json",
    "coco",
    'dataset.json: want a list called "data", got none',
  ],
  ["refcoco", "coco", "coco", "refs(unc).p: want a file, got no such file"],
] as const)("%s from %s with pictures in %s is refused", async (format, data, images, message) => {
  const spec = { name: "set", format, data: fixture(data), images: images && fixture(images) };
  await expect(openDataSet(spec)).rejects.toThrow(message);
});

test("all mistakes of a published file are found, too", async () => {
  const spec = {
    name: "set",
    format: "llava_detail",
    data: fixture("llava/conversation_58k.json"),
  } as const;
  const mistakes = await findMistakes({ ...spec, images: fixture("gqa/images") });
  expect(mistakes.map(({ message }) => message)).toEqual([
    "conversation_58k.json[0]: want the picture COCO_train2014_000000000009.jpg, got no such file",
    "conversation_58k.json[1]: want the picture COCO_train2014_000000000025.jpg, got no such file",
  ]);
});
