import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { HttpError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function isLoopbackHost(hostname: string): boolean {
  return loopbackHosts.has(hostname) || hostname.endsWith(".localhost");
}

/**
 * Which pages may call: those of the server's own origin and of the allow-list.
 * The check is made here and not left to browsers, since a form of another page
 * could upload without asking. Without keys the name the server is called by
 * must be this machine's, or any page could reach it under a name of its own
 * that resolves to 127.0.0.1.
 */
export function allowOrigins(
  origins: readonly string[],
  hasKeys: boolean,
): MiddlewareHandler<AppEnv> {
  const allowed = new Set(origins.map((origin) => new URL(origin).origin));
  const answerCors = cors({
    origin: (origin) => (allowed.has(origin) ? origin : null),
    allowHeaders: ["authorization", "content-type", "x-request-id"],
    allowMethods: ["GET", "POST", "DELETE"],
    exposeHeaders: ["x-request-id", "retry-after"],
    maxAge: 3600,
  });
  return async (c, next) => {
    const url = new URL(c.req.url);
    if (!hasKeys && !isLoopbackHost(url.hostname))
      throw new HttpError(
        "origin_not_allowed",
        "without keys the server answers this machine only, as localhost",
      );
    const origin = c.req.header("origin");
    if (origin !== undefined && origin !== url.origin && !allowed.has(origin))
      throw new HttpError(
        "origin_not_allowed",
        `origin: ${JSON.stringify(origin)} is not on the allow-list`,
      );
    return answerCors(c, next);
  };
}
