/** Where two answers part, and how far their levels disagree up to there. */
import type { AnswerToken } from "@tinygptv/protocol";
import type { Output } from "./output.ts";

/** Index of the first token that differs, or undefined where the answers are the same. */
export function firstDivergence(
  a: readonly AnswerToken[],
  b: readonly AnswerToken[],
): number | undefined {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i]?.id !== b[i]?.id) return i;
  return a.length === b.length ? undefined : shared;
}

const words = new Intl.Segmenter(undefined, { granularity: "word" });

/**
 * Where a text parts from another one: the start of its first word that differs,
 * as an index in UTF-16 units, or undefined where nothing of it does.
 */
export function textDivergence(text: string, other: string): number | undefined {
  let shared = 0;
  while (shared < text.length && text[shared] === other[shared]) shared++;
  return shared === text.length ? undefined : words.segment(text).containing(shared)?.index;
}

/** How near two levels are to each other along an answer. */
export interface Agreement {
  /** Positions with the same text before them, hence comparable. */
  positions: number;
  /** Share of them at which both levels find the same token most probable. */
  top1: number;
  /**
   * Mean KL divergence in nats from the first answer's level to the second's. A
   * lower bound: tokens outside the lists of alternatives count as one.
   */
  kl: number;
}

/**
 * Compares the distributions behind two answers wherever both levels saw the
 * same text: up to and including the first token that differs.
 * @returns undefined where the answers carry no alternatives (`topLogprobs` 0)
 */
export function agreement(
  a: readonly AnswerToken[],
  b: readonly AnswerToken[],
): Agreement | undefined {
  const end = Math.min(a.length, b.length, (firstDivergence(a, b) ?? Infinity) + 1);
  let positions = 0;
  let same = 0;
  let kl = 0;
  for (let i = 0; i < end; i++) {
    const p = a[i]?.top;
    const q = b[i]?.top;
    if (!p?.length || !q?.length) continue;
    positions++;
    if (p[0]?.id === q[0]?.id) same++;
    kl += klLowerBound(p, q);
  }
  return positions === 0 ? undefined : { positions, top1: same / positions, kl: kl / positions };
}

/** KL over the tokens both lists name, everything else merged into one outcome (merging never raises KL). */
function klLowerBound(
  p: readonly { id: number; logprob: number }[],
  q: readonly { id: number; logprob: number }[],
): number {
  const other = new Map(q.map((entry) => [entry.id, entry.logprob]));
  let sum = 0;
  let restP = 1;
  let restQ = 1;
  for (const { id, logprob } of p) {
    const under = other.get(id);
    if (under === undefined) continue;
    sum += Math.exp(logprob) * (logprob - under);
    restP -= Math.exp(logprob);
    restQ -= Math.exp(under);
  }
  const floor = 1e-9; // what rounding of the listed probabilities leaves
  if (restP > floor) sum += restP * Math.log(restP / Math.max(restQ, floor));
  return Math.max(0, sum);
}

/**
 * As `agreement`, over the whole of an answer: both levels have read it
 * teacher-forced, so they saw the same text at every position.
 * @param reference index of the run whose answer is read and whose level is compared with `other`'s
 * @returns undefined where the scores carry no alternatives
 */
export function crossAgreement(
  output: Output,
  reference: number,
  other: number,
): Agreement | undefined {
  const under = (run: number) =>
    output.scores.find((score) => score.answer === reference && score.under === run);
  return agreement(under(reference)?.tokens ?? [], under(other)?.tokens ?? []);
}
