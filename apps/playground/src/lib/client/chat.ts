/** Requests of the protocol in the endpoint's (OpenAI's) words, and its stream back as protocol events. */
import { decodingDefaults } from "@tinygptv/protocol";
import type {
  AnswerToken,
  DecodingParams,
  GenerateEvent,
  GenerateRequest,
  Hypothesis,
  Round,
  Usage,
} from "@tinygptv/protocol";
import type { ChatChunk, ChatRequest, Message, TokenLogprob } from "@tinygptv/protocol/http";
import { toApiDecoding } from "./decoding.ts";

/** @param pictures references to the request's pictures, in order */
export function toMessages(rounds: readonly Round[], pictures: readonly string[]): Message[] {
  let next = 0;
  return rounds.flatMap(({ prompt, images, answer }): Message[] => {
    const own = pictures.slice(next, (next += images ?? 0));
    const parts = own.map((url) => ({ type: "image_url" as const, image_url: { url } }));
    const user: Message = {
      role: "user",
      content: own.length === 0 ? prompt : [...parts, { type: "text", text: prompt }],
    };
    return answer === undefined ? [user] : [user, { role: "assistant", content: answer }];
  });
}

export function toChatRequest(
  request: GenerateRequest,
  pictures: readonly string[],
  model: string | undefined,
): ChatRequest {
  return {
    ...(model !== undefined && { model }),
    messages: toMessages(request.rounds, pictures),
    ...(request.task !== undefined && { task: request.task }),
    ...(request.template !== undefined && { template: request.template }),
    ...(request.imageMode !== undefined && { image_mode: request.imageMode }),
    ...(request.answerPrefix !== undefined && { answer_prefix: request.answerPrefix }),
    ...toApiDecoding(request.decoding ?? {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}

export const toToken = ({ id, token, logprob, top_logprobs }: TokenLogprob): AnswerToken => ({
  id,
  text: token,
  logprob,
  top: top_logprobs.map((other) => ({ id: other.id, text: other.token, logprob: other.logprob })),
});

/**
 * Folds a chat stream into protocol events; `end` comes with the usage chunk.
 * Of the hypotheses there are as many as the request wanted: the endpoint returns all.
 */
export async function* toEvents(
  chunks: AsyncIterable<ChatChunk>,
  { numReturnSequences = decodingDefaults.numReturnSequences }: DecodingParams = {},
): AsyncGenerator<GenerateEvent> {
  const answer: Hypothesis = { text: "", tokens: [], finishReason: "stop" };
  let finished: ChatChunk["choices"][number] | undefined;
  let hypotheses: Hypothesis[] | undefined;
  let usage: Usage = { promptTokens: 0, imageTokens: 0, completionTokens: 0, cachedTokens: 0 };
  for await (const { model, choices, tinygptv, usage: counted } of chunks) {
    if (counted) usage = toUsage(counted);
    if (tinygptv?.event === "start") yield startEvent(model, tinygptv);
    if (tinygptv?.event === "beams")
      yield { type: "beams", hypotheses: tinygptv.hypotheses.slice(0, numReturnSequences) };
    if (tinygptv?.event === "end")
      hypotheses = tinygptv.hypotheses?.slice(0, numReturnSequences).map(toHypothesis);
    const choice = choices.find(({ index }) => index === 0);
    for (const token of (choice?.logprobs?.content ?? []).map(toToken)) {
      answer.tokens.push(token);
      yield { type: "token", token };
    }
    if (choice?.delta.content) {
      answer.text += choice.delta.content;
      yield { type: "delta", text: choice.delta.content };
    }
    if (choice?.finish_reason) finished = choice;
  }
  if (finished?.finish_reason) answer.finishReason = finished.finish_reason;
  if (finished?.score !== undefined) answer.score = finished.score;
  const timings = finished?.timings ?? { queue: 0, image: 0, prefill: 0, decode: 0, total: 0 };
  yield {
    type: "end",
    hypotheses: hypotheses ?? [answer],
    boxes: finished?.boxes ?? [],
    usage,
    timings,
    ...(finished?.seed !== undefined && { seed: finished.seed }),
  };
}

function startEvent(
  model: string,
  { prompt, images }: Extract<NonNullable<ChatChunk["tinygptv"]>, { event: "start" }>,
): GenerateEvent {
  const infos = images.map(({ id, ...info }) => ({ hash: id.replace("img_", ""), ...info }));
  // Token counts come with the usage at the end.
  const counts = { promptTokens: 0, imageTokens: 0 };
  return { type: "start", model, promptText: prompt, images: infos, ...counts };
}

type ApiHypothesis = NonNullable<
  Extract<NonNullable<ChatChunk["tinygptv"]>, { event: "end" }>["hypotheses"]
>[number];

const toHypothesis = ({ text, score, finish_reason, logprobs }: ApiHypothesis): Hypothesis => ({
  text,
  score,
  finishReason: finish_reason,
  tokens: (logprobs?.content ?? []).map(toToken),
});

const toUsage = ({
  prompt_tokens,
  completion_tokens,
  prompt_tokens_details,
}: NonNullable<ChatChunk["usage"]>): Usage => ({
  promptTokens: prompt_tokens,
  completionTokens: completion_tokens,
  cachedTokens: prompt_tokens_details.cached_tokens,
  imageTokens: prompt_tokens_details.image_tokens,
});
