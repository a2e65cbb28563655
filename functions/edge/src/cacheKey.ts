/** Which requests have one right answer, and under which name it is kept. */
import { chatRequestSchema, scoreHttpRequestSchema } from "@tinygptv/protocol/http";
import type { ChatRequest, Message } from "@tinygptv/protocol/http";

/** Sampled answers differ each time unless a seed is given; streams are not kept. */
function isDeterministic({ stream, seed, temperature, top_p, top_k, min_p }: ChatRequest): boolean {
  if (stream) return false;
  const samples =
    temperature === undefined ? (top_p ?? top_k ?? min_p) !== undefined : temperature > 0;
  return !samples || seed !== undefined;
}

/** A picture from the web may be another one the next time; data and handles are their content. */
function hasFixedPictures({ messages }: { messages: readonly Message[] }): boolean {
  const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return parts.every((part) => part.type === "text" || /^(data:|img_)/.test(part.image_url.url));
}

/** Fields of a chat that say nothing about its answer. */
const withoutEffect = new Set([
  "stream",
  "user",
  "safety_identifier",
  "metadata",
  "store",
  "service_tier",
  "modalities",
]);

/** A body without what changes nothing in its answer; undefined where there is not one answer only. */
type Normalize = (body: unknown) => object | undefined;

const normalizers: Readonly<Record<string, Normalize>> = {
  "/v1/chat/completions": (body) => {
    const { data } = chatRequestSchema.safeParse(body);
    if (!data || !isDeterministic(data) || !hasFixedPictures(data)) return undefined;
    return Object.fromEntries(Object.entries(data).filter(([name]) => !withoutEffect.has(name)));
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
  const given = typeof body === "object" && body !== null ? Object.entries(body) : [];
  // As the origin does: null is absent.
  const present = Object.fromEntries(given.filter(([, value]) => value !== null));
  const normalized = normalizers[path]?.(present);
  if (!normalized) return undefined;
  // Parsing has put the fields into the schema's order; inside a JSON schema order says something.
  const text = new TextEncoder().encode(`${path}\n${JSON.stringify(normalized)}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
