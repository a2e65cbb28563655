/** Rules for short answers: the reference's scripts, and beside them the official ones. */
import { judge, metricOf } from "@tinygptv/protocol";
import type { AnswerRecord } from "../record.ts";
import { meanRule, type Rule } from "./rule.ts";
import { vqaAccuracy } from "./vqaAccuracy.ts";

/** What is right of a record of this kind. */
function expected<Kind extends AnswerRecord["expected"]["kind"]>(
  { expected: found, id }: AnswerRecord,
  kind: Kind,
): Extract<AnswerRecord["expected"], { kind: Kind }> {
  if (found.kind !== kind) throw new Error(`${id}: want ${kind}, got ${found.kind}`);
  return found as Extract<AnswerRecord["expected"], { kind: Kind }>;
}

const points = (isRight: boolean): number => (isRight ? 1 : 0);

/** The reference's scripts cut answers at its end mark, and what a conversation put before. */
const cut = (answer: string): string => answer.split("###")[0]!.split("Assistant:").at(-1)!.trim();

/** The first of some words in a text, whole and whatever the capitals. */
function firstWord(answer: string, words: readonly string[]): string | undefined {
  return cut(answer)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
    ?.find((word) => words.includes(word));
}

const saysYes: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  false: false,
  no: false,
};

/** Which of true and false an answer says first; undefined where it says neither. */
function verdict(answer: string): boolean | undefined {
  const word = firstWord(answer, Object.keys(saysYes));
  return word === undefined ? undefined : saysYes[word];
}

export const vsrRules: readonly Rule[] = [
  meanRule(
    "reference",
    'a point where the label ("true", "false") occurs in the answer, and a further one where "yes" or "no" does: an answer may count twice',
    (record) => {
      const { label } = expected(record, "label");
      const answer = record.answer.toLowerCase();
      const words = label ? ["true", "yes"] : ["false", "no"];
      return words.filter((word) => answer.includes(word)).length;
    },
  ),
  meanRule("official", "accuracy: the first word of true, yes, false, no decides", (record) =>
    points(verdict(record.answer) === expected(record, "label").label),
  ),
];

export const hatefulMemesRules: readonly Rule[] = [
  meanRule(
    "reference",
    'where "yes" occurs anywhere in the answer it is hateful, else where "no" does (as in "know") it is not; accuracy',
    (record) => {
      const answer = cut(record.answer).toLowerCase();
      const found = answer.includes("yes") ? true : answer.includes("no") ? false : undefined;
      return points(found === expected(record, "label").label);
    },
  ),
  meanRule("official", "accuracy: the first word of yes, true, no, false decides", (record) =>
    points(verdict(record.answer) === expected(record, "label").label),
  ),
];

export const gqaRules: readonly Rule[] = [
  meanRule("reference", "the label occurs anywhere in the answer in small letters", (record) => {
    const { answers } = expected(record, "question");
    return points(record.answer.toLowerCase().includes(answers[0]!));
  }),
  meanRule(
    "official",
    "accuracy: the answer is the label, capitals and a full stop at its end aside",
    (record) => {
      const plain = (text: string) => text.trim().replace(/\.$/, "").toLowerCase();
      const { answers } = expected(record, "question");
      return points(plain(cut(record.answer)) === plain(answers[0]!));
    },
  ),
];

/** What the reference's script makes of a list of answers: one text, cut up again. */
const rejoined = (answers: readonly string[]): string[] => answers.join("_").split("_");

export const vizwizRules: readonly Rule[] = [
  meanRule(
    "reference",
    "a third for every given answer that equals the answer, contains it or is contained in it, 1 at most: an empty answer is contained in all",
    (record) => {
      const answer = cut(record.answer).toLowerCase();
      const matches = rejoined(expected(record, "question").answers)
        .map((one) => one.toLowerCase())
        .filter((one) => one.includes(answer) || answer.includes(one));
      return Math.min(matches.length / 3, 1);
    },
  ),
  vqaRule("official"),
];

/** Of OK-VQA the reference has the official tool. */
export const okvqaRules: readonly Rule[] = [vqaRule("official")];

function vqaRule(name: string): Rule {
  return meanRule(
    name,
    "VQA accuracy: a third for every other person who gave the answer, 1 at most, mean over leaving out each person",
    (record) => vqaAccuracy(cut(record.answer), expected(record, "question").answers),
  );
}

/** The reference's choice and the official rule are the same. */
export const iconqaRules: readonly Rule[] = [
  meanRule("official", "accuracy: the likeliest candidate is the right one", (record) =>
    points(record.chosen === expected(record, "choice").answer),
  ),
];

/** One's own questions: the judge that notebooks and comparisons of levels have. */
export const ownRules: readonly Rule[] = [
  meanRule(
    "judge",
    "one of the right answers: texts as VQA's evaluation compares them, boxes that overlap by more than half",
    (record) => {
      const metric = metricOf(record.prompt);
      const { answers } = expected(record, "question");
      return points(answers.some((one) => judge(metric, cut(record.answer), one)));
    },
  ),
  meanRule("exact", "one of the right answers, to the letter", (record) => {
    const { answers } = expected(record, "question");
    return points(answers.some((one) => judge("exact", record.answer, one)));
  }),
];
