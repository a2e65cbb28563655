import { expect, it } from "vitest";
import { bleu, bleuStatistics } from "./bleu.ts";
import { cider } from "./cider.ts";
import { rougeL } from "./rouge.ts";
import { tokenizeCaption } from "./tokenize.ts";
import { sumOf } from "../rule.ts";

const words = (text: string): string[] => text.split(" ");

it.each([
  ["A man's dog isn't here, is it?", "a man 's dog is n't here is it"],
  ["They'll say: \"it's 3.5 p.m.\" -- I'm sure...", "they 'll say it 's 3.5 p.m. i 'm sure"],
  [
    "two t-shirts (one blue) & 1,000 others; well-known!",
    "two t-shirts -lrb- one blue -rrb- & 1,000 others well-known",
  ],
  ["I cannot see Mr. Smith’s “cat”", "i can not see mr. smith 's cat"],
  ["the dogs' bowls cost $5 at 10:30", "the dogs bowls cost $ 5 at 10:30"],
  ["", ""],
])("splits %j as the Treebank does", (caption, expected) => {
  expect(tokenizeCaption(caption).join(" ")).toBe(expected);
});

it("clips n-grams, as BLEU's paper shows", () => {
  const references = [words("the cat is on the mat"), words("there is a cat on the mat")];
  const [right, , , , there] = bleuStatistics(words("the the the the the the the"), references);
  expect([right, there]).toEqual([2, 7]);
});

it("takes the longest common subsequence, as ROUGE's paper shows", () => {
  const reference = [words("police killed the gunman")];
  expect(rougeL(words("police kill the gunman"), reference)).toBeCloseTo(0.75, 12);
  expect(rougeL(words("the gunman kill police"), reference)).toBeCloseTo(0.5, 12);
});

it("weighs recall more than precision", () => {
  // Three of five words, which are all of the reference: P 3/5, R 1, beta 1.2.
  const score = (2.44 * 0.6 * 1) / (1 + 1.44 * 0.6);
  expect(rougeL(words("a b c d e"), [words("a b c")])).toBeCloseTo(score, 12);
});

const references = [
  ["two red apples on a white table", "a pair of apples side by side", "two apples"],
  ["a brown house with a blue roof", "the house has a blue roof", "a small house"],
  ["the sun shines over green grass", "a yellow sun above the grass", "sun and grass"],
].map((all) => all.map(words));
const captions = [
  "two red apples",
  "a house with a red roof",
  "the sun above the green grass and a house",
].map(words);

/** Computed by the scorers of coco-caption (tylin/coco-caption) on the same words. */
const published = {
  bleu: [0.8333333332870372, 0.666666666625926, 0.48074985673619597, 5.927598032993809e-5],
  cider: [1.96274836, 1.70492524, 1.78738802],
  rouge: [1, 0.75870647, 0.55328798],
};

it("gives coco-caption's figures", () => {
  const sums = sumOf(captions.map((caption, i) => bleuStatistics(caption, references[i]!)));
  published.bleu.forEach((figure, i) => expect(bleu(i + 1, sums)).toBeCloseTo(figure, 10));
  cider(captions, references).forEach((score, i) =>
    expect(score).toBeCloseTo(published.cider[i]!, 7),
  );
  captions.forEach((caption, i) =>
    expect(rougeL(caption, references[i]!)).toBeCloseTo(published.rouge[i]!, 7),
  );
});

it("gives nothing for a caption without words", () => {
  expect(rougeL([], [words("a b")])).toBe(0);
  expect(cider([[], words("a b")], [[words("a b")], [words("c d")]])).toEqual([0, 0]);
  expect(bleu(1, bleuStatistics([], [words("a b")]))).toBe(0);
});

it("shortens BLEU where captions are shorter than the nearest reference", () => {
  // Two of two words right; the nearest reference has three: exp(1 - 3/2).
  const statistics = bleuStatistics(words("a b"), [words("a b c"), words("a b c d e")]);
  expect(bleu(1, statistics)).toBeCloseTo(Math.exp(-0.5), 6);
});
