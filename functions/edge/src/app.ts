import { Hono, type Context } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { createRoom } from "./body.ts";
import { answerWithCache, createAnswerCache } from "./cachedAnswer.ts";
import type { EdgeConfig } from "./config.ts";
import type { EdgeEnv } from "./edgeEnv.ts";
import { errorResponse } from "./errors.ts";
import { forward } from "./forward.ts";
import { createKeyring } from "./keyring.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { limitRate, rateLimitHeaders } from "./middleware/limitRate.ts";
import { listModels } from "./modelList.ts";
import { createOrigins } from "./origins.ts";
import { readRequest } from "./outgoing.ts";
import { createRateLimiter, type BucketStore } from "./rateLimiter.ts";

/** What a runtime brings along; tests bring their own. */
export interface Platform {
  fetch?: typeof fetch;
  now?: () => number;
  /** Shares rate limits between isolates. */
  buckets?: BucketStore | undefined;
  /** Where lines for who runs it go. */
  log?: (line: string) => void;
}

/**
 * The edge function: keys, limits and cache before one or several inference
 * functions. What it knows of origins, limits and answers is its isolate's own.
 */
export function createApp(config: EdgeConfig, platform: Platform = {}): Hono<EdgeEnv> {
  const { fetch = globalThis.fetch, now = Date.now, buckets, log = () => {} } = platform;
  const origins = createOrigins(config.origins, { ...config, fetch, now });
  const forwarding = { ...config, fetch, now, log, origins };
  const reading = {
    room: createRoom(config.heldBytes),
    bodyBytes: config.bodyBytes,
    routesByModel: config.origins.some(({ models }) => models !== undefined),
  };
  const cache = createAnswerCache(config.cacheBytes, config.cacheSeconds, now);

  async function answer(c: Context<EdgeEnv>): Promise<Response> {
    const request = await readRequest(c, reading);
    if (request instanceof Response) return request;
    const { outgoing, json, models } = request;
    const ask = () => forward(outgoing, models, forwarding);
    if (outgoing.method !== "POST") return (await ask()).response;
    const cacheControl = c.req.header("cache-control");
    const response = await answerWithCache({ path: outgoing.path, json, cacheControl }, cache, ask);
    outgoing.body?.release(); // of one that the cache has answered
    return response;
  }

  async function answerModels(c: Context<EdgeEnv>): Promise<Response> {
    const list = await listModels(c.get("requestId"), c.req.raw.signal, forwarding);
    return list ? c.json(list) : errorResponse("origin_unavailable", "no inference server answers");
  }

  async function answerReady(c: Context<EdgeEnv>): Promise<Response> {
    const asked = origins.areReady();
    c.executionCtx.waitUntil(Promise.all(asked));
    // The first that is decides: one that does not answer keeps nobody waiting.
    const ready = await Promise.any(asked.map(requireTrue)).catch(() => false);
    return ready ? c.json({ status: "ready" }) : c.json({ status: "unavailable" }, 503);
  }

  return new Hono<EdgeEnv>()
    .onError(() => errorResponse("internal_error", "something went wrong at the edge"))
    .notFound((c) =>
      errorResponse("not_found", `there is nothing at ${c.req.method} ${c.req.path.slice(0, 200)}`),
    )
    .use(requestId(), secureHeaders(), allowPages(config.corsOrigins))
    .get("/health", (c) => c.json({ status: "ok" }))
    .get("/ready", (c) => answerReady(c))
    .use("/v1/*", authenticate(createKeyring(config.keys)))
    .use("/v1/*", limitRate(createRateLimiter(buckets, now), config))
    .use(async (c, next) => {
      c.executionCtx.waitUntil(origins.check());
      await next();
    })
    .get("/v1/models", (c) => answerModels(c))
    .all("/v1/*", (c) => answer(c))
    .on("GET", ["/openapi.json", "/docs", "/docs/*"], (c) => answer(c));
}

function allowPages(corsOrigins: readonly string[]) {
  return cors({
    origin: (origin) => (corsOrigins.includes(origin) ? origin : null),
    // Whatever headers a page asks for: clients send some of their own, and the origins see none of them.
    allowHeaders: [],
    allowMethods: ["GET", "POST", "DELETE"],
    exposeHeaders: ["x-request-id", "x-cache", "age", "retry-after", ...rateLimitHeaders],
    maxAge: 3600,
  });
}

async function requireTrue(promise: Promise<boolean>): Promise<true> {
  if (await promise) return true;
  throw new Error("not ready");
}
