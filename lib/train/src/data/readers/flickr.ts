import { z } from "zod";
import { groundingInstructions } from "../prompts/grounding.ts";
import { pick } from "../random.ts";
import { aboutPicture } from "../wording.ts";
import { annotated } from "./annotations.ts";

/** MiniGPT-v2's files about Flickr30k; pictures are `ID.jpg`, nothing is cleaned. */
const image = { image_id: z.union([z.string(), z.int()]) };

/** `groundedcaption.json`: a caption with boxes in it. */
export const openGroundedCaptions = annotated({
  schema: z.object({ ...image, grounded_caption: z.string() }),
  async items({ image_id, grounded_caption }, { pictures, place }) {
    return [{ picture: await pictures.need(`${image_id}.jpg`, place), answer: grounded_caption }];
  },
  sample: ({ picture, answer }, random) => ({
    picture,
    rounds: [{ instruction: aboutPicture(pick(random, groundingInstructions)), answer }],
  }),
});

/** `captiontobbox.json`: the phrases of a caption and their boxes. */
export const openCaptionToPhrase = annotated({
  schema: z.object({ ...image, caption: z.string(), output: z.string() }),
  async items({ image_id, caption, output }, { pictures, place }) {
    const picture = await pictures.need(`${image_id}.jpg`, place);
    return [{ picture, asked: caption, answer: output }];
  },
  sample: detection,
});

/** `phrasetobbox.json`: the boxes of a phrase. */
export const openObjectToPhrase = annotated({
  schema: z.object({ ...image, phrase: z.string(), bbox: z.string() }),
  async items({ image_id, phrase, bbox }, { pictures, place }) {
    const picture = await pictures.need(`${image_id}.jpg`, place);
    return [{ picture, asked: phrase, answer: `<p>${phrase}</p> ${bbox}` }];
  },
  sample: detection,
});

function detection({ picture, asked, answer }: { picture: string; asked: string; answer: string }) {
  return { picture, rounds: [{ instruction: aboutPicture(`[detection] ${asked}`), answer }] };
}
