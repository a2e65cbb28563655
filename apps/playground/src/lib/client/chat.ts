/** Requests of the protocol in the endpoint's (OpenAI's) words, and its stream back as protocol events. */
import type {
  ChatChunk,
  ChatRequest,
  DecodingParameters,
  Message,
  TokenLogprob,
} from "tinygptv/http";
import type {
  AnswerToken,
  DecodingParams,
  GenerateEvent,
  GenerateRequest,
  Hypothesis,
  Round,
  Usage,
} from "tinygptv/protocol";

/** Our name -> the endpoint's. */
const decodingNames = {
  maxNewTokens: "max_tokens",
  minNewTokens: "min_tokens",
  stop: "stop",
  badWords: "bad_words",
  logitBias: "logit_bias",
  repetitionPenalty: "repetition_penalty",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  noRepeatNgramSize: "no_repeat_ngram_size",
  logprobs: "logprobs",
  topLogprobs: "top_logprobs",
  temperature: "temperature",
  topK: "top_k",
  topP: "top_p",
  minP: "min_p",
  seed: "seed",
  numBeams: "num_beams",
  lengthPenalty: "length_penalty",
  earlyStopping: "early_stopping",
} as const satisfies Partial<Record<keyof DecodingParams, keyof DecodingParameters>>;

function toApiDecoding({
  method,
  numReturnSequences,
  ...decoding
}: DecodingParams): Partial<ChatRequest> {
  const named = Object.entries(decodingNames).map(([ours, theirs]) => [
    theirs,
    decoding[ours as keyof typeof decoding],
  ]);
  return {
    ...Object.fromEntries(named.filter(([, value]) => value !== undefined)),
    // The endpoint infers the method; sampling and beams at their defaults must still be said.
    ...(method === "sample" && decoding.temperature === undefined && { temperature: 1 }),
    ...(method === "beam" && decoding.numBeams === undefined && { num_beams: 4 }),
    ...(numReturnSequences !== undefined && numReturnSequences > 1 && { return_hypotheses: true }),
  };
}

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

/** Folds a chat stream into protocol events; `end` comes with the usage chunk. */
export async function* toEvents(chunks: AsyncIterable<ChatChunk>): AsyncGenerator<GenerateEvent> {
  const answer: Hypothesis = { text: "", tokens: [], finishReason: "stop" };
  let finished: ChatChunk["choices"][number] | undefined;
  let hypotheses: Hypothesis[] | undefined;
  let usage: Usage = { promptTokens: 0, imageTokens: 0, completionTokens: 0, cachedTokens: 0 };
  for await (const { choices, tinygptv, usage: counted } of chunks) {
    if (counted) usage = toUsage(counted);
    if (tinygptv?.event === "start") yield startEvent(tinygptv);
    if (tinygptv?.event === "beams") yield { type: "beams", hypotheses: tinygptv.hypotheses };
    if (tinygptv?.event === "end") hypotheses = tinygptv.hypotheses?.map(toHypothesis);
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
  };
}

function startEvent({
  prompt,
  images,
}: Extract<NonNullable<ChatChunk["tinygptv"]>, { event: "start" }>): GenerateEvent {
  const infos = images.map(({ id, ...info }) => ({ hash: id.replace("img_", ""), ...info }));
  // Token counts come with the usage at the end.
  return { type: "start", promptText: prompt, images: infos, promptTokens: 0, imageTokens: 0 };
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
