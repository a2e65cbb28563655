import { answerLimit, endOf, processed, splitPositions, tokenDescriber } from "./decoder.ts";
import type { DecodedAnswer, DecodedToken, DecodingInput } from "./decoder.ts";
import type { FinishReason, GreedyDecoding, SampleDecoding } from "@tinygptv/protocol";
import { processorsFor } from "./processorsFor.ts";
import type { Decoder } from "./sequence.ts";
import { teacherForce } from "./teacherForcing.ts";

/** Picks the next token out of processed scores [vocabulary]. */
export type TokenSelector = (scores: Float32Array) => number;

/**
 * One token after the other, `select` choosing each. Drafted tokens are run
 * together with the last token; of their logits only those are used whose
 * input the selection confirms, and the rest is cut off the sequence again, so
 * a draft changes the number of steps, never a token (speculative decoding with
 * exact verification, after arXiv 2211.17192).
 */
export function* autoregressive(
  input: DecodingInput,
  decoding: GreedyDecoding | SampleDecoding,
  select: TokenSelector,
): Decoder<DecodedAnswer[]> {
  const { model, sequence, answerPrefix = [], draft, emit } = input;
  const { vocabularySize, contextLength } = model;
  const processors = processorsFor(decoding, input);
  const isEnd = endOf(input);
  const scratch = new Float32Array(vocabularySize);
  const tokens: DecodedToken[] = [];
  const history = [input.beginTokenId];

  let [logits] = yield [{ sequence, input: input.prompt, logits: "last" }];
  const promptLength = sequence.length;
  const limit = answerLimit(decoding.maxNewTokens, contextLength, promptLength, answerPrefix);

  const accept = (id: number, row: Float32Array): void => {
    const token = tokenDescriber(row, decoding)(id);
    tokens.push(token);
    history.push(id);
    emit?.({ type: "token", token });
  };
  const reasonToFinish = (): FinishReason | undefined =>
    isEnd(history) ? "stop" : tokens.length === limit ? "length" : undefined;

  yield* teacherForce(sequence, logits!, answerPrefix, accept);
  let finishReason = answerPrefix.length > 0 ? reasonToFinish() : undefined;
  let rows = answerPrefix.length > 0 ? [] : [logits!];
  let drafted: readonly number[] = [];
  for (;;) {
    // rows[i] follows drafted[i - 1], and counts only if that is what was chosen.
    for (const [i, row] of rows.entries()) {
      accept(select(processed(row, history, processors, scratch)), row);
      finishReason = reasonToFinish();
      if (finishReason || history.at(-1) !== drafted[i]) break;
    }
    const held = promptLength + tokens.length - 1;
    if (sequence.length > held) model.truncate(sequence, held);
    if (finishReason) return [{ tokens, finishReason }];

    drafted = draft?.(history).slice(0, limit - tokens.length - 1) ?? [];
    [logits] = yield [
      {
        sequence,
        input: { tokens: [history.at(-1)!, ...drafted] },
        logits: drafted.length > 0 ? "all" : "last",
      },
    ];
    rows = splitPositions(logits!, vocabularySize);
  }
}
