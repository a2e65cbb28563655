/** Finished answers and what belongs to them, in both words. */
import type { EndEvent, Hypothesis, ImageInfo, ScoreResult, Usage } from "../../events.ts";
import type { FinishedAnswer } from "../../answer.ts";
import type { ApiUsage, FinishedBeam, ImageUsage } from "../answers.ts";
import type { ChatResponse } from "../chat.ts";
import type { ScoreHttpResponse } from "../inspect.ts";
import type { ChatPlan } from "./request.ts";
import { fromLogprob, fromLogprobs, logprobsOf, toLogprobs } from "./tokens.ts";

/** What identifies an answer. */
export interface Identity {
  id: string;
  /** Unix seconds. */
  created: number;
  /** Full id. */
  model: string;
}

type Choice = ChatResponse["choices"][number];

const prefix = "img_";

/** The engine's pictures in HTTP's words: a hash becomes an id. */
export function toImages(images: readonly ImageInfo[]): ImageUsage[] {
  return images.map(({ hash, ...info }) => ({ id: prefix + hash, ...info }));
}

export function fromImages(images: readonly ImageUsage[]): ImageInfo[] {
  return images.map(({ id, ...info }) => ({ hash: id.slice(prefix.length), ...info }));
}

/** Of several answers to one prompt the prompt counts once, as with OpenAI. */
export function toUsage(images: readonly ImageInfo[], usages: readonly Usage[]): ApiUsage {
  const { promptTokens, imageTokens, cachedTokens } = usages[0]!;
  const completionTokens = usages.reduce((sum, usage) => sum + usage.completionTokens, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, image_tokens: imageTokens },
    images: toImages(images),
  };
}

export function fromUsage({
  prompt_tokens,
  completion_tokens,
  prompt_tokens_details: { cached_tokens, image_tokens },
}: ApiUsage): Usage {
  return {
    promptTokens: prompt_tokens,
    completionTokens: completion_tokens,
    cachedTokens: cached_tokens,
    imageTokens: image_tokens,
  };
}

/** How an answer ended, and what is found in it. */
export function toFinished(
  { finishReason, boxes, score }: Hypothesis,
  { timings, seed }: Pick<EndEvent, "timings" | "seed">,
): Pick<Choice, "finish_reason" | "boxes" | "timings" | "score" | "seed"> {
  return {
    finish_reason: finishReason,
    boxes,
    timings,
    ...(score !== undefined && { score }),
    ...(seed !== undefined && { seed }),
  };
}

export function toFinishedBeam(hypothesis: Hypothesis, logprobs: boolean): FinishedBeam {
  const { text, boxes, score = 0, finishReason } = hypothesis;
  return {
    text,
    score,
    finish_reason: finishReason,
    logprobs: logprobsOf(hypothesis, logprobs),
    boxes,
  };
}

export function fromFinishedBeam(beam: FinishedBeam): Hypothesis {
  const { text, score, boxes, finish_reason: finishReason, logprobs } = beam;
  return { text, score, boxes, finishReason, tokens: fromLogprobs(logprobs) };
}

/** The whole answer of a chat that does not stream. @param answers one for each generation of the plan */
export function toChatResponse(
  answers: readonly FinishedAnswer[],
  plan: ChatPlan,
  identity: Identity,
): ChatResponse {
  const first = answers[0]!;
  const choices = answers
    .flatMap((answer) => answer.hypotheses.map((hypothesis) => ({ hypothesis, answer })))
    .slice(0, plan.choices)
    .map(({ hypothesis, answer }, index) => ({
      index,
      message: { role: "assistant" as const, content: hypothesis.text, refusal: null },
      logprobs: logprobsOf(hypothesis, plan.logprobs),
      ...toFinished(hypothesis, answer),
    }));
  return {
    ...identity,
    object: "chat.completion",
    choices,
    usage: toUsage(
      first.images,
      answers.map(({ usage }) => usage),
    ),
    tinygptv: {
      prompt: first.promptText,
      ...(plan.hypotheses && {
        hypotheses: first.hypotheses.map((one) => toFinishedBeam(one, plan.logprobs)),
      }),
    },
  };
}

/** The engine's scores in HTTP's words. */
export function toScoreResponse(
  { candidates, ranks, images }: ScoreResult,
  model: string,
): ScoreHttpResponse {
  return {
    object: "score",
    model,
    candidates: candidates.map(({ text, tokens, meanLogprob }) => ({
      text,
      tokens: toLogprobs(tokens),
      mean_logprob: meanLogprob,
      sum_logprob: tokens.reduce((sum, { logprob = 0 }) => sum + logprob, 0),
    })),
    ranks,
    usage: { images: toImages(images) },
  };
}

/** HTTP's scores in the engine's words. */
export function fromScoreResponse({ candidates, ranks, usage }: ScoreHttpResponse): ScoreResult {
  return {
    candidates: candidates.map(({ text, tokens, mean_logprob }) => ({
      text,
      tokens: tokens.map(fromLogprob),
      meanLogprob: mean_logprob,
    })),
    ranks,
    images: fromImages(usage.images),
  };
}
