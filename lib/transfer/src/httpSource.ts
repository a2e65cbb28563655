/** Files of web servers, by range. */
import { TinyGptvError } from "@tinygptv/protocol";
import { EnvHttpProxyAgent, fetch } from "undici";
import type { RequestInit, Response } from "undici";
import { Interruption } from "./source.ts";
import type { Beginning, Opened, Source } from "./source.ts";

let agent: EnvHttpProxyAgent | undefined;

/** As the global `fetch`, by way of the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
export function webFetch(url: string, init: RequestInit = {}): Promise<Response> {
  agent ??= new EnvHttpProxyAgent();
  return fetch(url, { ...init, dispatcher: agent });
}

/**
 * A file at a URL. It is resumed where the server still has the same one
 * (If-Range with a strong ETag or a date); a server that ignores ranges sends
 * it from the beginning.
 * @throws TinyGptvError `network`, its subject the status, where there is no such file
 */
export function httpSource(url: string): Source {
  return {
    name: url,
    async open(had, signal) {
      const { bytes, validator } = had;
      const isResumed = bytes > 0 && validator !== undefined;
      const response = await webFetch(url, {
        // Sizes and ranges must be those of the file itself.
        headers: {
          "accept-encoding": "identity",
          ...(isResumed && { range: `bytes=${bytes}-`, "if-range": validator }),
        },
        signal,
      }).catch((error: unknown) => {
        throw interrupted(error);
      });
      return opened(response, had, url);
    },
  };
}

async function opened(response: Response, had: Beginning, url: string): Promise<Opened> {
  const { status, headers } = response;
  const range = headers.get("content-range");
  const validator = validatorOf(response);
  if (status === 416 && range === `bytes */${had.bytes}`) {
    await response.body?.cancel();
    return { start: had.bytes, size: had.bytes, validator: had.validator, body: chunksOf(null) };
  }
  const start = status === 200 ? 0 : had.bytes;
  if (status !== 200 && !(status === 206 && range?.startsWith(`bytes ${start}-`))) {
    await response.body?.cancel();
    throw refusalOf(response, url);
  }
  const length = Number(headers.get("content-length") ?? NaN);
  const size = Number.isNaN(length) ? undefined : start + length;
  return { start, size, validator, body: chunksOf(response.body) };
}

/** What to do about an answer that is not the file. */
function refusalOf({ status, statusText, headers }: Response, url: string): Error {
  if (status === 206 || status === 416) {
    return new Interruption(`not the range asked for (HTTP ${status})`, { isFromStart: true });
  }
  const reason = `HTTP ${status} ${statusText}`.trim();
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get("retry-after") ?? NaN);
    return new Interruption(reason, { after: Number.isNaN(seconds) ? 0 : seconds * 1000 });
  }
  return new TinyGptvError("network", `${url}: want the file, got ${reason}`, {
    subject: String(status),
  });
}

/** If-Range takes a strong ETag or a date. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  if (etag && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified") ?? undefined;
}

async function* chunksOf(body: Response["body"]): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body ?? []) yield chunk as Uint8Array;
  } catch (error) {
    throw interrupted(error);
  }
}

/** fetch says TypeError for what was refused, reset or ended early. */
function interrupted(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  return new Interruption(reason, { cause: error });
}
