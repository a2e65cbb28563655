import { extname } from "node:path";
import { z } from "zod";
import { clean } from "../cleaner.ts";
import { jsonEntries } from "../jsonRecords.ts";
import { listRecords } from "../listed.ts";
import { dataError, parseRecord, type Report } from "../mistakes.ts";
import { picturesIn } from "../pictures.ts";
import type { ListedSet } from "../sample.ts";
import { asking, type Question } from "./vqa.ts";

const cover = z.object({
  imageURL: z.string(),
  questions: z.array(z.string()),
  answers: z.array(z.string()),
  /** 1 to train, 2 to validate, 3 to test. */
  split: z.int(),
});
const training = 1;

/**
 * `dataset.json`: an object of book covers by their id, which with the ending of its address is
 * the name of its picture. Covers that are not there are left out (the reference takes
 * the next question in their place).
 */
export function openOcrVqa(
  data: string,
  images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  if (images === undefined)
    throw dataError(data, "images: want the folder of its pictures, got none");
  const pictures = picturesIn(images);
  return listRecords<Question>(
    jsonEntries(data),
    {
      async items(value, place) {
        const entries = Object.entries(parseRecord(z.record(z.string(), cover), value, place));
        const [id, { imageURL, questions, answers, split }] = entries[0]!;
        if (split !== training) return [];
        if (questions.length !== answers.length)
          throw dataError(
            place,
            `${id}: want an answer for each of ${questions.length} questions, got ${answers.length}`,
          );
        const picture = await pictures.find(id + extname(imageURL));
        if (picture === undefined) return [];
        return questions.map((question, i) => ({
          picture,
          question: clean(question),
          answers: [answers[i]!],
        }));
      },
      sample: asking,
    },
    report,
  );
}
