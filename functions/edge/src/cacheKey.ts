/** Which requests have one right answer, and under which name it is kept. */
import { TinyGptvError, isDeterministic } from "@tinygptv/protocol";
import {
  chatRequestSchema,
  fromHttpDecoding,
  fromResponseRequest,
  idleFields,
  responseRequestSchema,
  scoreHttpRequestSchema,
  withoutNulls,
} from "@tinygptv/protocol/http";
import type { Message, ResponseRequest } from "@tinygptv/protocol/http";

/** A picture from the web may be another one the next time; data and handles are their content. */
const isFixed = (url: string): boolean => /^(data:|img_)/.test(url);

function hasFixedPictures({ messages }: { messages: readonly Message[] }): boolean {
  const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return parts.every((part) => part.type === "text" || isFixed(part.image_url.url));
}

/** What cannot be decoded has no answer: the origin says why. */
function holds(condition: () => boolean): boolean {
  try {
    return condition();
  } catch (error) {
    if (error instanceof TinyGptvError) return false;
    throw error;
  }
}

function hasOneResponse(data: ResponseRequest): boolean {
  const { requests, pictures } = fromResponseRequest(data);
  return pictures.every(({ url }) => isFixed(url)) && isDeterministic(requests[0]!.decoding ?? {});
}

/** Fields of a chat that say nothing about its answer. */
const withoutEffect = new Set(["stream", ...Object.keys(idleFields)]);

/** A body without what changes nothing in its answer; undefined where there is not one answer only. */
type Normalize = (body: unknown) => object | undefined;

const normalizers: Readonly<Record<string, Normalize>> = {
  "/v1/chat/completions": (body) => {
    const { data } = chatRequestSchema.safeParse(body);
    // Streams are not kept; sampled answers differ each time unless a seed is given.
    if (
      !data ||
      data.stream ||
      !hasFixedPictures(data) ||
      !holds(() => isDeterministic(fromHttpDecoding(data)))
    )
      return undefined;
    return Object.fromEntries(Object.entries(data).filter(([name]) => !withoutEffect.has(name)));
  },
  "/v1/responses": (body) => {
    const { data } = responseRequestSchema.safeParse(body);
    if (!data || data.stream || !holds(() => hasOneResponse(data))) return undefined;
    // Its answer repeats fields that have no effect otherwise.
    const { stream: _, ...rest } = data;
    return rest;
  },
  "/v1/score": (body) => {
    const { data } = scoreHttpRequestSchema.safeParse(body);
    return data && hasFixedPictures(data) ? data : undefined;
  },
};

/**
 * The name of the one answer that a request has: a hash of its path and body,
 * the same for all callers. Undefined where the next answer may be another
 * (sampled without a seed, a picture from the web), where it is a stream, and
 * where the body is not valid: the origin says why.
 */
export async function cacheKey(path: string, body: unknown): Promise<string | undefined> {
  const normalized = normalizers[path]?.(withoutNulls(body));
  if (!normalized) return undefined;
  // Parsing has put the fields into the schema's order; inside a JSON schema order says something.
  const text = new TextEncoder().encode(`${path}\n${JSON.stringify(normalized)}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
