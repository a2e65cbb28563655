/**
 * Downloads pictures from where callers say, which may be anywhere: an address
 * inside the server's network must not be reachable through it.
 */
import { lookup } from "node:dns/promises";
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { Agent, EnvHttpProxyAgent, request } from "undici";
import type { Dispatcher } from "undici";
import { HttpError } from "../errors.ts";
import { isPublicAddress } from "./addresses.ts";

export interface FetchLimits {
  readonly imageBytes: number;
  readonly imageFetchMs: number;
  readonly imageRedirects: number;
}

export interface FetchOptions {
  readonly limits: FetchLimits;
  /**
   * Whether to go by way of the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
   * name. What a proxy is asked for, it resolves, and alone decides where it may lead.
   */
  readonly useProxy?: boolean;
  /** All addresses of a name; tests give their own. */
  readonly resolve?: (hostname: string) => Promise<LookupAddress[]>;
  /** Which addresses may be connected to; tests allow the loopback they serve from. */
  readonly isAllowed?: (address: string) => boolean;
}

export type FetchPicture = (url: string, param: string, signal: AbortSignal) => Promise<Uint8Array>;

const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * A client for http(s) pictures. A name is resolved once, all its addresses
 * must be public, and the connection goes to the address that was checked, so
 * that a name cannot change its mind in between. Redirects are followed by hand
 * and pass the same checks.
 *
 * Its function throws HttpError: invalid_image_url, image_url_refused,
 * image_url_unreachable, image_too_large.
 */
export function createFetchPicture({
  limits,
  useProxy = false,
  resolve = (hostname) => lookup(hostname, { all: true }),
  isAllowed = isPublicAddress,
}: FetchOptions): FetchPicture {
  return async (url, param, signal) => {
    const refuse = (hostname: string, cause?: unknown) =>
      new HttpError("image_url_refused", `${param}: ${hostname} is not a public address`, {
        param,
        cause,
      });
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(limits.imageFetchMs)]);
    // Connections are not kept: the next request for the name is checked again.
    const options: Agent.Options = {
      pipelining: 0,
      connect: {
        timeout: limits.imageFetchMs,
        lookup: (hostname, { all }, callback) => {
          resolve(hostname).then(
            (addresses) => {
              const [first] = addresses;
              if (!first || !addresses.every(({ address }) => isAllowed(address)))
                return callback(refuse(hostname), "");
              if (all) callback(null, addresses);
              else callback(null, first.address, first.family);
            },
            // As if it resolved to an inner address: the difference would map the network behind the server.
            (error: Error) => callback(refuse(hostname, error), ""),
          );
        },
      },
    };
    // Its connections to proxies are its own: names are looked up for those without one.
    const agent = useProxy ? new EnvHttpProxyAgent(options) : new Agent(options);
    try {
      let target = checkUrl(url, param);
      for (let hop = 0; hop <= limits.imageRedirects; hop += 1) {
        // A host that is an address is never looked up.
        const host = target.hostname.replace(/^\[|\]$/g, "");
        if (isIP(host) !== 0 && !isAllowed(host)) throw refuse(host);
        const response = await request(target, {
          dispatcher: agent,
          signal: deadline,
          headers: { accept: "image/*", "accept-encoding": "identity", "user-agent": "tinygpt-v" },
        });
        if (!redirects.has(response.statusCode))
          return await readPicture(response, limits.imageBytes, param);
        response.body.on("error", () => {}).destroy();
        const location = response.headers["location"];
        if (typeof location !== "string")
          throw unreachable(param, "its redirect names no location");
        target = checkUrl(location, param, target);
      }
      throw unreachable(param, `want at most ${limits.imageRedirects} redirects`);
    } catch (error) {
      throw explain(error, param, limits.imageFetchMs, deadline);
    } finally {
      agent.destroy().catch(() => {});
    }
  };
}

function checkUrl(text: string, param: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  const fail = (message: string) =>
    new HttpError("invalid_image_url", `${param}: ${message}`, { param });
  if (!url) throw fail("this is not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw fail(`want a data URL, http(s) URL or picture id, got ${url.protocol}`);
  if (url.username !== "" || url.password !== "")
    throw fail("want a URL without user name and password");
  return url;
}

async function readPicture(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  param: string,
): Promise<Uint8Array> {
  const stop = (error: HttpError): never => {
    body.on("error", () => {}).destroy();
    throw error;
  };
  if (statusCode !== 200) stop(unreachable(param, `its server answered ${statusCode}`));
  const tooLarge = () =>
    new HttpError("image_too_large", `${param}: want at most ${maxBytes} bytes`, { param });
  if (Number(headers["content-length"] ?? 0) > maxBytes) stop(tooLarge());
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) stop(tooLarge());
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function unreachable(param: string, message: string, cause?: unknown): HttpError {
  return new HttpError("image_url_unreachable", `${param}: ${message}`, { param, cause });
}

/** Tells no more of the network than a caller needs: whether the connection or time failed. */
function explain(error: unknown, param: string, ms: number, deadline: AbortSignal): HttpError {
  if (error instanceof HttpError) return error;
  const timedOut = deadline.aborted && deadline.reason?.name === "TimeoutError";
  if (timedOut) return unreachable(param, `want the picture within ${ms} ms`, error);
  return unreachable(param, "it cannot be fetched", error);
}
