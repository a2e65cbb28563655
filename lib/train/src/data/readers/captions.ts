import { posix } from "node:path";
import { z } from "zod";
import { clean } from "../cleaner.ts";
import { captionInstructions } from "../prompts/captions.ts";
import { pick, type Random } from "../random.ts";
import { aboutPicture } from "../wording.ts";
import { annotated } from "./annotations.ts";

interface Caption {
  readonly picture: string;
  readonly caption: string;
}

function captioning({ picture, caption }: Caption, random: Random) {
  const instruction = aboutPicture(`[caption] ${pick(random, captionInstructions)}`);
  return { picture, rounds: [{ instruction, answer: clean(caption) }] };
}

/** `TextCaps_0.1_train.json`: captions that read what is written in a picture. */
export const openTextCaps = annotated({
  schema: z.object({ image_id: z.string(), caption_str: z.string() }),
  list: "data",
  async items({ image_id, caption_str }, { pictures, place }) {
    return [{ picture: await pictures.need(`${image_id}.jpg`, place), caption: caption_str }];
  },
  sample: captioning,
});

/** `coco_karpathy_train.json`: of its captions those of pictures of COCO's train part. */
export const openCocoCaptions = annotated({
  schema: z.object({ image: z.string(), caption: z.string() }),
  async items({ image, caption }, { pictures, place }) {
    if (!image.includes("train")) return [];
    return [{ picture: await pictures.need(posix.basename(image), place), caption }];
  },
  sample: captioning,
});
