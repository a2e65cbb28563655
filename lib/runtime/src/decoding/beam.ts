import { answerLimit, endOf, nothingLeft, tokenDescriber } from "./decoder.ts";
import type { DecodedAnswer, DecodedToken, DecodingInput } from "./decoder.ts";
import { isSettled, keepBest, ranked } from "./hypotheses.ts";
import type { FinishedBeam } from "./hypotheses.ts";
import { largest, logSoftmax } from "./logSoftmax.ts";
import type { BeamDecoding, FinishReason } from "@tinygptv/protocol";
import { processorsFor } from "./processorsFor.ts";
import type { Decoder, ForwardRow, Sequence } from "./sequence.ts";
import { teacherForce } from "./teacherForcing.ts";

/** An answer that may still grow. */
interface Beam {
  /** Beam of the step before that it continues. */
  readonly parent: number;
  readonly history: readonly number[];
  readonly tokens: readonly DecodedToken[];
  /** Sum of processed log-probabilities, in float32. */
  readonly sum: number;
}

/**
 * Beam search as transformers 4.36 does it (BeamSearchScorer): processors act
 * on log-probabilities; of the best candidates of all beams (twice as many as
 * beams, more with several end tokens) an end counts only among the first
 * `numBeams`; finished answers are scored by sum / length^lengthPenalty with
 * the end token in the length; at the end the open ones are scored too, unless
 * the finished ones are settled. A stop text ends a beam like an end token.
 * Tokens of `answerPrefix` count with the model's own log-probabilities.
 * Where fewer candidates than beams are left, fewer beams go on.
 */
export function* beam(input: DecodingInput, decoding: BeamDecoding): Decoder<DecodedAnswer[]> {
  const { model, sequence, answerPrefix = [], endTokenIds, emit } = input;
  const { numBeams, lengthPenalty, numReturnSequences } = decoding;
  const { vocabularySize, contextLength } = model;
  const processors = processorsFor(decoding, input);
  const isEnd = endOf(input);
  const candidateCount = Math.max(2, 1 + endTokenIds.length) * numBeams;
  const scratch: Float32Array[] = [];
  const held = [sequence];

  const finish = ({ tokens, sum }: Beam, finishReason: FinishReason): FinishedBeam => ({
    tokens,
    finishReason,
    score: sum / tokens.length ** lengthPenalty,
  });
  /** The best continuations of all beams, best first. */
  const expand = (beams: readonly Beam[], rows: readonly Float32Array[]): Beam[] => {
    const scores = rows.map((logits, i) => {
      const row = (scratch[i] ??= new Float32Array(vocabularySize));
      logSoftmax(logits, row);
      for (const process of processors) process(row, beams[i]!.history);
      return row;
    });
    const describe = rows.map((logits) => tokenDescriber(logits, decoding));
    const sums = beams.map(({ sum }) => sum);
    return largest(scores, sums, candidateCount).map(({ row, id, score }) =>
      grow(beams[row]!, row, describe[row]!(id), score),
    );
  };

  try {
    let rows = yield [{ sequence, input: input.prompt, logits: "last" }];
    const limit = answerLimit(decoding.maxNewTokens, contextLength, sequence.length, answerPrefix);
    let root: Beam = { parent: 0, history: [input.beginTokenId], tokens: [], sum: 0 };
    yield* teacherForce(sequence, rows[0]!, answerPrefix, (id, logits) => {
      const token = tokenDescriber(logits, { ...decoding, logprobs: true })(id);
      root = grow(root, 0, token, Math.fround(root.sum + token.logprob!));
    });
    if (answerPrefix.length > 0) {
      if (isEnd(root.history)) return [finish(root, "stop")];
      if (root.tokens.length === limit) return [finish(root, "length")];
      rows = yield [extend(sequence, root)];
    }

    let beams = [root];
    let finished: readonly FinishedBeam[] = [];
    for (;;) {
      const candidates = expand(beams, rows);
      if (candidates.length === 0 && finished.length === 0) throw nothingLeft(scratch[0]!);
      beams = [];
      for (const [rank, candidate] of candidates.entries()) {
        if (!isEnd(candidate.history)) beams.push(candidate);
        else if (rank < numBeams) {
          finished = keepBest(finished, finish(candidate, "stop"), numBeams);
        }
        if (beams.length === numBeams) break;
      }
      const best = candidates[0];
      const length = best?.tokens.length ?? limit;
      const settled = !best || isSettled(finished, best.sum, length, limit, decoding);
      const answers = settled
        ? finished
        : beams.reduce((kept, open) => keepBest(kept, finish(open, "length"), numBeams), finished);
      const returned = ranked(answers).slice(0, numReturnSequences);
      emit?.({ type: "beams", answers: returned });
      if (settled || beams.length === 0 || length === limit) return returned;

      // The i-th sequence goes to the i-th beam; those left over stay as they are.
      while (held.length < beams.length) held.push(model.fork(sequence));
      const parents = held.map((_, i) => beams[i]?.parent ?? i);
      model.reorder(held, parents);
      rows = yield beams.map((open, i) => extend(held[i]!, open));
    }
  } finally {
    for (const fork of held.slice(1)) model.release(fork);
  }
}

function grow(from: Beam, parent: number, token: DecodedToken, sum: number): Beam {
  const history = [...from.history, token.id];
  return { parent, history, tokens: [...from.tokens, token], sum };
}

function extend(sequence: Sequence, { history }: Beam): ForwardRow {
  return { sequence, input: { tokens: [history.at(-1)!] }, logits: "last" };
}
