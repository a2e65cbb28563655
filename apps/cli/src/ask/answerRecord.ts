import type { FinishedAnswer, Hypothesis } from "@tinygptv/protocol";

/** One answer as a line of JSON: the best hypothesis, and all of them where there are several. */
export function answerRecord({ hypotheses, boxes, usage, timings, seed }: FinishedAnswer): object {
  return {
    ...hypothesisRecord(hypotheses[0]!),
    ...(hypotheses.length > 1 && { hypotheses: hypotheses.map(hypothesisRecord) }),
    boxes,
    usage,
    timings,
    ...(seed !== undefined && { seed }),
  };
}

/** `tokens` are the ids; `logprobs` what is known of each of them, where it was asked for. */
function hypothesisRecord({ text, tokens, finishReason, score }: Hypothesis): object {
  const hasLogprobs = tokens.some((token) => token.logprob !== undefined);
  return {
    text,
    tokens: tokens.map((token) => token.id),
    finishReason,
    ...(score !== undefined && { score }),
    ...(hasLogprobs && { logprobs: tokens }),
  };
}
