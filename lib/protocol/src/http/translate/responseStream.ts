/** An answer as OpenAI's response: the whole one, and as the events of a stream. */
import { grown, isFinished, noAnswer, type Answer, type FinishedAnswer } from "../../answer.ts";
import type { GenerateEvent } from "../../events.ts";
import type { TokenLogprob } from "../answers.ts";
import type { ApiError } from "../error.ts";
import type {
  ResponseEvent,
  ResponseObject,
  ResponseRequest,
  ResponseUsage,
} from "../responses.ts";
import { toFinished, toUsage, type Identity } from "./answer.ts";
import type { SseEvent } from "./chatStream.ts";
import type { ChatPlan } from "./request.ts";
import { createTokenDealer, logprobsOf } from "./tokens.ts";

/** What a response is of. */
export interface ResponseContext {
  body: ResponseRequest;
  plan: ChatPlan;
  identity: Identity;
}

type Message = ResponseObject["output"][number];
type Status = Message["status"];

/** The whole response of a request that does not stream. */
export function toResponse(answer: FinishedAnswer, context: ResponseContext): ResponseObject {
  const { plan } = context;
  const [best] = answer.hypotheses;
  const status = answer.finishReason === "length" ? "incomplete" : "completed";
  const logprobs = logprobsOf(answer, plan.logprobs)?.content;
  const { finish_reason: _said, ...finished } = toFinished(best!, answer);
  return {
    ...frame(context, status),
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    output: [message(context, status, [part(answer.text, logprobs)])],
    usage: usageOf(answer),
    tinygptv: { prompt: answer.promptText, ...finished },
  };
}

/** Writes an answer as OpenAI's events; of a beam search the text comes as a whole at the end. */
export interface ResponseStreamWriter {
  write(event: GenerateEvent): SseEvent[];
  /** What a stream ends with that fails. */
  failed(error: ApiError): SseEvent;
}

type Unnumbered = ResponseEvent extends infer Event
  ? Event extends ResponseEvent
    ? Omit<Event, "sequence_number">
    : never
  : never;

/** Turns the events of one answer into those of the Responses API, numbered in their order. */
export function createResponseStreamWriter(context: ResponseContext): ResponseStreamWriter {
  const { plan } = context;
  const dealer = createTokenDealer();
  let answer: Answer = noAnswer;
  let next = 0;

  const sse = (event: Unnumbered): SseEvent => ({
    event: event.type,
    data: JSON.stringify({ ...event, sequence_number: next++ }),
  });
  const place = { item_id: messageId(context), output_index: 0, content_index: 0 } as const;
  const { output_index } = place;
  const delta = (text: string, logprobs: TokenLogprob[]): Unnumbered => ({
    type: "response.output_text.delta",
    ...place,
    delta: text,
    logprobs: plan.logprobs ? logprobs : [],
  });

  const events = (event: GenerateEvent): Unnumbered[] => {
    switch (event.type) {
      case "start": {
        answer = grown(answer, event);
        const response = frame(context, "in_progress");
        return [
          { type: "response.created", response },
          { type: "response.in_progress", response },
          {
            type: "response.output_item.added",
            output_index,
            item: message(context, "in_progress", []),
          },
          { type: "response.content_part.added", ...place, part: part("") },
        ];
      }
      case "token":
        dealer.push(event.token);
        return [];
      case "delta":
        return [delta(event.text, dealer.advance(event.text))];
      // There is no event for texts that are revised.
      case "beams":
        return [];
      case "end": {
        answer = grown(answer, event);
        if (!isFinished(answer)) return [];
        const response = toResponse(answer, context);
        const [item] = response.output;
        const [whole] = item!.content;
        const { text, logprobs } = whole!;
        return [
          ...(plan.beams ? [delta(text, logprobs)] : []),
          { type: "response.output_text.done", ...place, text, logprobs },
          { type: "response.content_part.done", ...place, part: whole! },
          { type: "response.output_item.done", output_index, item: item! },
          response.status === "incomplete"
            ? { type: "response.incomplete", response }
            : { type: "response.completed", response },
        ];
      }
    }
  };
  return {
    write: (event) => events(event).map(sse),
    failed: ({ error: { code, message: text, param } }) =>
      sse({ type: "error", code, message: text, param }),
  };
}

/** All that is known of a response before it has an answer. */
function frame({ body, identity }: ResponseContext, status: Status): ResponseObject {
  const { id, created, model } = identity;
  return {
    id,
    object: "response",
    created_at: created,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    store: false,
    temperature: body.temperature ?? null,
    text: { format: body.text?.format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: [],
    top_p: body.top_p ?? null,
    truncation: "disabled",
  };
}

const messageId = ({ identity }: ResponseContext): string => identity.id.replace(/^resp_/, "msg_");

function message(context: ResponseContext, status: Status, content: Message["content"]): Message {
  return { id: messageId(context), type: "message", role: "assistant", status, content };
}

function part(text: string, logprobs: TokenLogprob[] = []): Message["content"][number] {
  return { type: "output_text", text, annotations: [], logprobs };
}

function usageOf({ images, usage }: FinishedAnswer): ResponseUsage {
  const counted = toUsage(images, [usage]);
  return {
    input_tokens: counted.prompt_tokens,
    input_tokens_details: { ...counted.prompt_tokens_details, cache_write_tokens: 0 },
    output_tokens: counted.completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: counted.total_tokens,
    images: counted.images,
  };
}
