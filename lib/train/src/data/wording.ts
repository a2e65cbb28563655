import { imageMark } from "@tinygptv/protocol";
import type { Example } from "./example.ts";
import { alignmentInstructions } from "./prompts/alignment.ts";
import { captionInstructions } from "./prompts/captions.ts";
import { pick, type Random } from "./random.ts";
import type { Sample } from "./sample.ts";

/** The form in which samples are put to the model. */
export interface Wording {
  /** Around every instruction, whose place is `{}`. */
  readonly template: string;
  /** Whole instructions for pictures that have captions alone; one is drawn for all of a batch. */
  readonly captionInstructions: readonly string[];
  /** Whether the space that the reference's data sets leave behind an instruction is taken away. */
  readonly isTrimmed?: boolean;
  readonly endSymbol: string;
  readonly maxAnswerTokens: number;
}

/** An instruction about the picture as the reference's data sets write it, with the space that they leave behind it. */
export function aboutPicture(text: string): string {
  return `<Img>${imageMark}</Img> ${text} `;
}

/** A text put into a form at its `{}`; `$` in it means nothing. */
export function fill(form: string, text: string): string {
  return form.replace("{}", () => text);
}

const pictureAlone: Wording = {
  template: "{}",
  captionInstructions: [imageMark],
  endSymbol: "\n",
  maxAnswerTokens: 32,
};

/** The reference's four stages, from its train_configs and the defaults of its classes. */
export const stageWordings: Readonly<Record<1 | 2 | 3 | 4, Wording>> = {
  1: pictureAlone,
  2: pictureAlone,
  3: {
    template: "###Human: {} ###Assistant: ",
    captionInstructions: alignmentInstructions.map((text) => aboutPicture(text).trimEnd()),
    endSymbol: "###",
    maxAnswerTokens: 160,
  },
  4: {
    template: "[INST] {} [/INST]",
    captionInstructions: captionInstructions.map((text) => aboutPicture(`[caption] ${text}`)),
    endSymbol: "###",
    maxAnswerTokens: 1024,
  },
};

/** As the endpoint asks by default: the template of the stage-4 demo. */
export const servedWording: Wording = {
  ...stageWordings[4],
  template: "<s>[INST] {} [/INST]",
  isTrimmed: true,
};

/** Samples of one batch in a stage's form. */
export function toExamples(
  samples: readonly Sample[],
  wording: Wording,
  random: Random,
): Example[] {
  const { template, isTrimmed = false, endSymbol, maxAnswerTokens } = wording;
  const captionInstruction = pick(random, wording.captionInstructions);
  return samples.map(({ place, picture, rounds }) => ({
    place,
    picture,
    rounds: rounds.map(({ instruction = captionInstruction, answer }) => ({
      prompt: fill(template, isTrimmed ? instruction.trimEnd() : instruction),
      answer,
    })),
    endSymbol,
    maxAnswerTokens,
  }));
}
