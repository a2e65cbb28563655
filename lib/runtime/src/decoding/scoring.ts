import { TinyGptvError } from "@tinygptv/protocol";
import { tokenDescriber } from "./decoder.ts";
import type { DecodedToken, DecodingInput } from "./decoder.ts";
import type { Decoder, Sequence } from "./sequence.ts";
import { teacherForce } from "./teacherForcing.ts";
import { together } from "./together.ts";

/** The prompt candidates are scored after; `sequence` stays the caller's and ends up holding the prompt. */
export type ScoringInput = Pick<DecodingInput, "model" | "sequence" | "prompt">;

export interface ScoredCandidate {
  readonly tokens: readonly DecodedToken[];
  /** Mean of the tokens' log-probabilities: the training loss of this answer, negated. */
  readonly meanLogprob: number;
}

/** Rows of a scoring step at most; each holds a copy of the prompt's keys and values. */
export const scoringRows = 8;

/**
 * Teacher forcing: how probable each candidate is as the answer. Candidates
 * are token ids with their end symbol; the prompt runs once for all. With
 * `topLogprobs` every token comes with so many alternatives.
 * @throws TinyGptvError `parameter` for a candidate without tokens or beyond the context.
 */
export function* scoreCandidates(
  { model, sequence, prompt }: ScoringInput,
  candidates: readonly (readonly number[])[],
  topLogprobs = 0,
): Decoder<ScoredCandidate[]> {
  candidates.forEach((tokens, i) => {
    if (tokens.length === 0) reject(i, "at least one token", tokens.length);
  });
  const [logits] = yield [{ sequence, input: prompt, logits: "last" }];
  const first = logits!.slice(); // later steps may reuse the model's buffer
  const room = model.contextLength - sequence.length + 1;
  candidates.forEach((tokens, i) => {
    if (tokens.length > room) reject(i, `at most ${room} tokens in this context`, tokens.length);
  });

  const scores: ScoredCandidate[] = [];
  for (let start = 0; start < candidates.length; start += scoringRows) {
    const group = candidates.slice(start, start + scoringRows);
    const forks: Sequence[] = [];
    try {
      for (const _ of group) forks.push(model.fork(sequence));
      scores.push(
        ...(yield* together(
          group.map((tokens, i) => score(forks[i]!, first, tokens, topLogprobs)),
        )),
      );
    } finally {
      for (const fork of forks) model.release(fork);
    }
  }
  return scores;
}

/** Candidate indices, most probable mean first; equal ones in their order. */
export function rankCandidates(scores: readonly ScoredCandidate[]): number[] {
  return scores
    .map((_, i) => i)
    .toSorted((a, b) => scores[b]!.meanLogprob - scores[a]!.meanLogprob);
}

function* score(
  sequence: Sequence,
  logits: Float32Array,
  candidate: readonly number[],
  topLogprobs: number,
): Decoder<ScoredCandidate> {
  const tokens: DecodedToken[] = [];
  let sum = 0;
  yield* teacherForce(sequence, logits, candidate, (id, row) => {
    const token = tokenDescriber(row, { logprobs: true, topLogprobs })(id);
    tokens.push(token);
    sum += token.logprob!;
  });
  return { tokens, meanLogprob: sum / tokens.length };
}

function reject(index: number, want: string, got: number): never {
  throw new TinyGptvError("parameter", `candidates[${index}]: want ${want}, got ${got}`, {
    subject: "candidates",
  });
}
