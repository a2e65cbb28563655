import { TinyGptvError, renamed } from "@tinygptv/protocol";
import type { ErrorCode } from "@tinygptv/protocol";
import { apiErrorSchema, libraryName, parameterFields } from "@tinygptv/protocol/http";
import { labelOf } from "#lib/settings/problem.ts";

/** Where requests go: `""` is the server this page came from. */
export interface Endpoint {
  baseUrl: string;
  key: string;
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** How the endpoint's error codes map to ours; anything else is the engine's fault. */
const codes: Record<string, ErrorCode> = {
  model_not_found: "model",
  invalid_image: "image",
  image_too_large: "image",
  image_not_found: "image",
  invalid_prompt: "prompt",
  context_length_exceeded: "context",
  queue_full: "busy",
  too_many_requests: "busy",
  client_closed_request: "aborted",
};

/** What a person can do about it; the message itself says what happened. */
const advice: Record<string, string> = {
  invalid_api_key: "Set the endpoint's key under Connection.",
  queue_full: "The queue is full; try again in a moment.",
  too_many_requests: "Too many requests; try again in a moment.",
  engine_failed: "The engine is starting again; run the cell once more.",
  model_not_found: "Choose a level from the list.",
};

/** What the page calls a field: a control by its label, the conversation by what it is. */
function pageName(field: string): string {
  const asked = /^messages(?:\[\d+\](\.content\[\d+\])?)?/.exec(field);
  if (asked) return asked[1] === undefined ? "Question" : "Picture";
  return labelOf(libraryName(field));
}

/** The error an endpoint's body describes, in the page's names. */
export function apiError(body: unknown, status: number): TinyGptvError {
  const parsed = apiErrorSchema.safeParse(body);
  if (!parsed.success)
    return new TinyGptvError("network", `the endpoint answered ${status} without saying why`);
  const { error } = parsed.data;
  const { code, param } = error;
  const ours = codes[code] ?? (status < 500 ? "parameter" : "engine");
  const help = advice[code];
  const { message } = renamed(
    { message: error.message, subject: param ?? undefined },
    pageName,
    parameterFields,
  );
  return new TinyGptvError(ours, help === undefined ? message : `${message}. ${help}`, {
    cause: error,
    ...(param !== null && { subject: libraryName(param) }),
  });
}

/** The endpoint's own code of an error that came from it. */
export function codeOf(error: unknown): string | undefined {
  const cause =
    error instanceof TinyGptvError ? apiErrorSchema.shape.error.safeParse(error.cause) : undefined;
  return cause?.data?.code;
}

/**
 * `fetch` for one endpoint: adds the key, and turns refusals and lost
 * connections into TinyGptvErrors that say what to do.
 */
export function endpointFetch({ baseUrl, key }: Endpoint): Fetch {
  return async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (key !== "") headers.set("authorization", `Bearer ${key}`);
    let response: Response;
    try {
      response = await fetch(`${baseUrl.replace(/\/+$/, "")}${path}`, { ...init, headers });
    } catch (cause) {
      if (init.signal?.aborted) throw new TinyGptvError("aborted", "stopped", { cause });
      throw new TinyGptvError(
        "network",
        `${baseUrl || "The server"} does not answer. Your work is kept; run the cell again when it is back.`,
        { cause },
      );
    }
    if (!response.ok) throw apiError(await response.json().catch(() => undefined), response.status);
    return response;
  };
}

export const postJson = (
  fetchApi: Fetch,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> =>
  fetchApi(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
