import { join } from "node:path";
import { z } from "zod";
import type { Report } from "../mistakes.ts";
import type { ListedSet } from "../sample.ts";
import { annotated } from "./annotations.ts";

/** Captions of stage 3, not cleaned: what is asked for them is drawn for a whole batch. */
const openCaptions = annotated({
  schema: z.object({ image_id: z.union([z.string(), z.int()]), caption: z.string() }),
  async items({ image_id, caption }, { pictures, place }) {
    return [{ picture: await pictures.need(`${image_id}.jpg`, place), caption }];
  },
  sample: ({ picture, caption }) => ({
    picture,
    rounds: [{ instruction: undefined, answer: caption }],
  }),
});

/** The folder `cc_sbu_align`: `filter_cap.json` and `image/ID.jpg`. */
export function openCcSbuAlign(
  folder: string,
  images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  return openCaptions(join(folder, "filter_cap.json"), images ?? join(folder, "image"), report);
}
