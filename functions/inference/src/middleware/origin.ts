import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { HttpError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function isLoopbackHost(hostname: string): boolean {
  return loopbackHosts.has(hostname) || hostname.endsWith(".localhost");
}

/** Headers of answers that a page may read. */
const exposed = ["x-request-id", "retry-after", "etag", "www-authenticate", "allow"];

/**
 * Which pages may call: those of the server's own host and of the allow-list.
 * The check is made here and not left to browsers, since a form of another page
 * could upload without asking. Without keys the name the server is called by
 * must be this machine's, or any page could reach it under a name of its own
 * that resolves to 127.0.0.1.
 */
export function allowOrigins(
  origins: readonly string[],
  hasKeys: boolean,
): MiddlewareHandler<AppEnv> {
  const allowed = new Set(origins);
  const answerCors = cors({
    origin: (origin) => (allowed.has(origin) ? origin : null),
    // Once its origin is admitted a page may send the headers it asks for: clients have many of their own.
    allowMethods: ["GET", "POST", "DELETE"],
    exposeHeaders: exposed,
    maxAge: 3600,
  });
  return async (c, next) => {
    const { hostname, host } = new URL(c.req.url);
    if (!hasKeys && !isLoopbackHost(hostname))
      throw new HttpError(
        "origin_not_allowed",
        "without keys the server answers this machine only, as localhost",
      );
    const origin = c.req.header("origin");
    if (origin !== undefined && !allowed.has(origin) && !isOwn(c, origin, host))
      throw new HttpError(
        "origin_not_allowed",
        `origin: ${JSON.stringify(origin)} is not on the allow-list`,
      );
    return answerCors(c, next);
  };
}

/**
 * A page of the server's own. Behind a proxy with TLS its scheme is another
 * than the server sees, so host and port decide; and where the proxy calls the
 * server by another name, what the browser says: no page can set this header.
 */
function isOwn(c: Context<AppEnv>, origin: string, host: string): boolean {
  if (origin === "null") return false;
  if (c.req.header("sec-fetch-site") === "same-origin") return true;
  const { protocol } = URL.parse(origin) ?? {};
  return /^https?:$/.test(protocol ?? "") && URL.parse(`${protocol}//${host}`)?.origin === origin;
}
