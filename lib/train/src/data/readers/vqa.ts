import { posix } from "node:path";
import { z } from "zod";
import { clean } from "../cleaner.ts";
import { vqaInstructions } from "../prompts/vqa.ts";
import { pick, type Random } from "../random.ts";
import { aboutPicture, fill } from "../wording.ts";
import { annotated } from "./annotations.ts";

export interface Question {
  readonly picture: string;
  /** Already cleaned. */
  readonly question: string;
  /** One for each who was asked: the more gave it, the likelier it is drawn. */
  readonly answers: readonly string[];
}

/** A question in one of its forms with one of its answers. */
export function asking({ picture, question, answers }: Question, random: Random) {
  const answer = clean(pick(random, answers));
  const instruction = aboutPicture(fill(pick(random, vqaInstructions), question));
  return { picture, rounds: [{ instruction, answer }] };
}

const answers = z.array(z.string()).min(1);

/** `vqa_train.json`, `vqa_val.json`, `okvqa_train.json`. What asks about a picture that is not there is left out. */
export const openCocoVqa = annotated({
  schema: z.object({ image: z.string(), question: z.string(), answer: answers }),
  async items({ image, question, answer }, { pictures }) {
    const picture = await pictures.find(posix.basename(image));
    return picture === undefined ? [] : [{ picture, question: clean(question), answers: answer }];
  },
  sample: asking,
});

/** `aokvqa_v1p0_train.json`, likewise; the reference cleans its questions twice. */
export const openAokVqa = annotated({
  schema: z.object({ image: z.string(), question: z.string(), direct_answers: answers }),
  async items({ image, question, direct_answers }, { pictures }) {
    const picture = await pictures.find(posix.basename(image));
    if (picture === undefined) return [];
    return [{ picture, question: clean(clean(question)), answers: direct_answers }];
  },
  sample: asking,
});

/** `train_balanced_questions.json` in LAVIS's form: one answer, every picture needed. */
export const openGqa = annotated({
  schema: z.object({ image: z.string(), question: z.string(), answer: z.string() }),
  async items({ image, question, answer }, { pictures, place }) {
    const picture = await pictures.need(image, place);
    return [{ picture, question: clean(question), answers: [answer] }];
  },
  sample: asking,
});
