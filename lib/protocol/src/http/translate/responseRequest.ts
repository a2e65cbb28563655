/** A response's request as the chat it stands for. */
import { TinyGptvError } from "../../errors.ts";
import { renamed, type NameOf } from "../../names.ts";
import type { ChatRequest } from "../chat.ts";
import type { Message } from "../messages.ts";
import type { ResponseFormat } from "../responseFormat.ts";
import {
  includeLogprobs,
  type InputItem,
  type ResponseRequest,
  type TextFormat,
} from "../responses.ts";
import { fromChatRequest, type ChatPlan } from "./request.ts";

/** Fields that a chat has under another name. */
const fields: Readonly<Record<string, string>> = {
  max_tokens: "max_output_tokens",
  max_completion_tokens: "max_output_tokens",
  response_format: "text.format",
  logprobs: "include",
};

/**
 * What a request asks of the engine: one generation.
 * @throws TinyGptvError "prompt", "parameter", naming the field
 */
export function fromResponseRequest(body: ResponseRequest): ChatPlan {
  const nameOf = namesIn(body);
  const plan = planOf(body, nameOf);
  return {
    ...plan,
    pictures: plan.pictures.map(({ url, param }) => ({ url, param: nameOf(param) })),
    nameOf: (subject) => nameOf(plan.nameOf(subject)),
  };
}

function planOf(body: ResponseRequest, nameOf: NameOf): ChatPlan {
  try {
    return fromChatRequest(toChat(body));
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    const { message, subject } = renamed(error, nameOf, Object.keys(fields));
    throw new TinyGptvError(error.code, message, {
      ...(subject !== undefined && { subject }),
      cause: error,
    });
  }
}

function toChat(body: ResponseRequest): ChatRequest {
  const {
    input,
    instructions,
    max_output_tokens,
    text,
    include = [],
    top_logprobs = 0,
    stream_options: _idle,
    ...same
  } = body;
  const items: InputItem[] = typeof input === "string" ? [{ role: "user", content: input }] : input;
  const system: Message[] =
    instructions === undefined ? [] : [{ role: "system", content: instructions }];
  return {
    ...same,
    messages: [...system, ...items.map(toMessage)],
    ...(max_output_tokens !== undefined && { max_tokens: max_output_tokens }),
    ...(text?.format !== undefined && { response_format: toFormat(text.format) }),
    logprobs: include.includes(includeLogprobs) || top_logprobs > 0,
    top_logprobs,
  };
}

function toMessage(item: InputItem): Message {
  const { role, content } = item;
  if (typeof content === "string") return { role, content };
  const parts = content.map((part) =>
    part.type === "input_image"
      ? { type: "image_url" as const, image_url: { url: part.image_url } }
      : { type: "text" as const, text: part.text },
  );
  // Pictures are a user's only, as the schema has it.
  return { role, content: parts } as Message;
}

function toFormat(format: TextFormat): ResponseFormat {
  if (format.type !== "json_schema") return format;
  const { type, ...json_schema } = format;
  return { type, json_schema };
}

/** From a chat's names to those of this request. */
function namesIn({ input, instructions }: ResponseRequest): NameOf {
  const before = instructions === undefined ? 0 : 1;
  const itemNameOf = (place: string): string => {
    const [, message, inside] = /^\[(\d+)\](.*)$/.exec(place) ?? [];
    if (message !== undefined && Number(message) < before) return "instructions";
    if (message === undefined || typeof input === "string") return "input";
    return `input[${Number(message) - before}]${inside!.replace(".image_url.url", ".image_url")}`;
  };
  return (name) => {
    const [, head, rest] = /^(\w*)(.*)$/s.exec(name)!;
    if (head === "messages") return itemNameOf(rest!);
    const field = fields[head!] ?? head!;
    if (head === "response_format") return field + rest!.replace(".json_schema", "");
    return field + rest!;
  };
}
