import type { Body } from "./body.ts";
import { bodyError, errorResponse } from "./errors.ts";
import { openExchange, type ExchangeOptions } from "./exchange.ts";
import { isKeyRefused, withKey, type Origin, type Origins } from "./origins.ts";
import { isOfType, passOn } from "./passOn.ts";

/** A request as origins get it. */
export interface Outgoing {
  method: string;
  /** With its query. */
  path: string;
  headers: Headers;
  body: Body | undefined;
  /** Fires when the client goes away. */
  signal: AbortSignal | undefined;
}

export interface Attempt {
  /**
   * - `answered`: this is the answer
   * - `refused`: the origin has no place now; the response says so
   * - `absent`: nothing that understands us is there; the response is ours
   *
   * After the last two nothing is with the client yet, and another origin may do better.
   */
  outcome: "answered" | "refused" | "absent";
  response: Response;
  /** The answer's bytes, where they were read before it is passed on. */
  whole?: Uint8Array<ArrayBuffer> | undefined;
}

export interface AttemptOptions extends ExchangeOptions {
  fetch: typeof fetch;
  /** For who runs it. */
  log: (line: string) => void;
}

/** What an answer is, by the first line that fits. */
const kinds: readonly (readonly [Verdict, (status: number, isJson: boolean) => boolean])[] = [
  ["refusesKey", isKeyRefused],
  // A gateway's 504 (Cloudflare's 524) is no origin's word: the work may go on behind it.
  ["tookTooLong", (status, isJson) => status === 524 || (status === 504 && !isJson)],
  // No place, or something in front of a dead server: 520 to 530 are Cloudflare's.
  ["refuses", (status) => [429, 502, 503].includes(status) || (status >= 520 && status <= 530)],
  ["isAnother", (status) => status >= 300 && status < 400 && status !== 304],
  ["isAnother", (status, isJson) => status >= 400 && !isJson],
  ["answers", () => true],
];
type Verdict = "answers" | "refuses" | "refusesKey" | "isAnother" | "tookTooLong";

/**
 * One request to one origin. Streams of events, and answers that are large,
 * are passed on as they come; all else is read whole, so that an origin that
 * dies in the middle of it has sent the client nothing. The client's leaving
 * ends the request at the origin.
 */
export async function attempt(
  origin: Origin,
  { method, path, headers, body, signal }: Outgoing,
  options: AttemptOptions,
): Promise<Attempt> {
  const { fetch, origins, originTimeoutMs, log } = options;
  const exchange = openExchange(origin, signal, options);
  const sending = { onChunk: exchange.touch, onFailure: exchange.cancel };
  const init: RequestInit & { duplex: "half" } = {
    method,
    headers: withKey(headers, origin),
    body: body && (body.whole() ?? body.send(sending)),
    duplex: "half",
    redirect: "manual",
    signal: exchange.signal,
  };
  const tooLate = () =>
    answered(errorResponse("generation_timeout", `no answer within ${originTimeoutMs} ms`));
  try {
    const answer = await fetch(origin.url + path, init);
    const { status } = answer;
    const isJson = isOfType("application/json", answer);
    const [verdict] = kinds.find(([, fits]) => fits(status, isJson || method === "HEAD"))!;
    exchange.touch();
    if (verdict === "answers") {
      const passed = await passOn(answer, origin, exchange, origins);
      origins.succeeded(origin);
      return { outcome: "answered", ...passed };
    }
    if (verdict === "refuses") noteRefusal(answer, origin, origins);
    if (verdict === "refuses" && isJson)
      return { outcome: "refused", ...(await passOn(answer, origin, exchange, origins)) };
    exchange.end();
    await answer.body?.cancel();
    if (verdict === "tookTooLong") return tooLate();
    if (verdict === "refusesKey") origins.refusedKey(origin);
    if (verdict === "isAnother") origins.failed(origin);
    if (verdict !== "refuses") report(origin, status, verdict, log);
    return absent();
  } catch {
    exchange.end();
    if (body?.failure !== undefined) return answered(bodyError(body.failure));
    if (signal?.aborted)
      return answered(errorResponse("client_closed_request", "the client went away"));
    origins.failed(origin);
    // Not asked elsewhere: the work may still go on here, and would be done twice.
    return exchange.givenUp === "silent" ? tooLate() : absent();
  }
}

const answered = (response: Response): Attempt => ({ outcome: "answered", response });

function absent(): Attempt {
  const headers = { "retry-after": "1" };
  const response = errorResponse("origin_unavailable", "no inference server answers", { headers });
  return { outcome: "absent", response };
}

function noteRefusal({ headers }: Response, origin: Origin, origins: Origins): void {
  const seconds = headers.get("retry-after");
  if (seconds === null) origins.failed(origin);
  else origins.busy(origin, Number(seconds) || 1);
}

/** For who runs it: the caller can do nothing about it and is not told. */
function report(
  { url }: Origin,
  status: number,
  verdict: "refusesKey" | "isAnother",
  log: AttemptOptions["log"],
): void {
  const problem =
    verdict === "refusesKey"
      ? "refuses the edge's own key: set `key` in EDGE_ORIGINS"
      : "does not answer as an inference server does: is its `url` in EDGE_ORIGINS right?";
  log(`origin ${url}: status ${status}, ${problem}`);
}
