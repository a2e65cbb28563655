/** The engine's results in OpenAI's words. */
import { parseBoxes } from "@tinygptv/protocol";
import type {
  AnswerToken,
  GenerateEvent,
  Hypothesis,
  ImageInfo,
  TokenAlternative,
} from "@tinygptv/protocol";
import type { ApiUsage, ChatResponse, ImageUsage, TokenLogprob } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";

export type StartEvent = Extract<GenerateEvent, { type: "start" }>;
export type EndEvent = Extract<GenerateEvent, { type: "end" }>;
type Choice = ChatResponse["choices"][number];
type Finished = Pick<Choice, "finish_reason" | "boxes" | "timings" | "score" | "seed">;
type ApiHypothesis = NonNullable<ChatResponse["tinygptv"]["hypotheses"]>[number];

/** JSON has no -Infinity; OpenAI writes this for a token without probability. */
const noProbability = -9999;
const encoder = new TextEncoder();

function toAlternative({
  id,
  text,
  logprob,
}: TokenAlternative): Omit<TokenLogprob, "top_logprobs"> {
  return {
    token: text,
    id,
    logprob: Number.isFinite(logprob) ? logprob : noProbability,
    bytes: text.includes("\u{fffd}") ? null : [...encoder.encode(text)],
  };
}

/** Tokens that carry log-probabilities; all do where the request asked for them. */
export function toLogprobs(tokens: readonly AnswerToken[]): TokenLogprob[] {
  return tokens.flatMap(({ id, text, logprob, top = [] }) =>
    logprob === undefined
      ? []
      : [{ ...toAlternative({ id, text, logprob }), top_logprobs: top.map(toAlternative) }],
  );
}

/** The same as a choice has it; null where nobody asked. */
export function toChoiceLogprobs(
  tokens: readonly AnswerToken[],
  asked: boolean,
): ChatResponse["choices"][number]["logprobs"] {
  return asked ? { content: toLogprobs(tokens), refusal: null } : null;
}

export function toImages(images: readonly ImageInfo[]): ImageUsage[] {
  return images.map(({ hash, width, height, cached }) => ({
    id: `img_${hash}`,
    width,
    height,
    cached,
  }));
}

/** Of several answers to one prompt the prompt counts once, as with OpenAI. */
export function toUsage(images: readonly ImageInfo[], ends: readonly EndEvent[]): ApiUsage {
  const { promptTokens, imageTokens, cachedTokens } = ends[0]!.usage;
  const completionTokens = ends.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, image_tokens: imageTokens },
    images: toImages(images),
  };
}

/** How an answer ended, and what is found in it. */
export function toFinished(
  hypothesis: Hypothesis,
  images: readonly ImageInfo[],
  end: EndEvent,
): Finished {
  const last = images.at(-1);
  return {
    finish_reason: toFinishReason(hypothesis),
    boxes: last ? parseBoxes(hypothesis.text, { ...last, image: images.length - 1 }) : [],
    timings: end.timings,
    score: hypothesis.score,
    seed: end.seed,
  };
}

export function toHypothesis(
  { text, tokens, score, ...rest }: Hypothesis,
  logprobs: boolean,
): ApiHypothesis {
  return {
    text,
    score: score ?? 0,
    finish_reason: toFinishReason(rest),
    logprobs: toChoiceLogprobs(tokens, logprobs),
  };
}

function toFinishReason({ finishReason }: Pick<Hypothesis, "finishReason">): "stop" | "length" {
  if (finishReason === "stop" || finishReason === "length") return finishReason;
  throw new HttpError("engine_failed", "the answer ended before it was finished");
}
