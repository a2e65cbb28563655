import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { answerWithCache } from "./cachedAnswer.ts";
import type { EdgeConfig } from "./config.ts";
import type { EdgeEnv } from "./edgeEnv.ts";
import { errorResponse } from "./errors.ts";
import { forward } from "./forward.ts";
import { createKeyring } from "./keyring.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { limitRate } from "./middleware/limitRate.ts";
import { listModels } from "./modelList.ts";
import { createOrigins } from "./origins.ts";
import { readRequest, type ReadRequest } from "./outgoing.ts";
import { createRateLimiter, type BucketStore } from "./rateLimiter.ts";
import { createResponseCache } from "./responseCache.ts";

/** What a runtime brings along; tests bring their own. */
export interface Platform {
  fetch?: typeof fetch;
  now?: () => number;
  /** Shares rate limits between isolates. */
  buckets?: BucketStore;
}

/**
 * The edge function: keys, limits and cache before one or several inference
 * functions. What it knows of origins, limits and answers is its isolate's own.
 */
export function createApp(config: EdgeConfig, platform: Platform = {}): Hono<EdgeEnv> {
  const { fetch = globalThis.fetch, now = Date.now, buckets } = platform;
  const { originTimeoutMs, healthIntervalMs, cacheSeconds } = config;
  const origins = createOrigins(config.origins, { fetch, now, healthIntervalMs });
  const forwarding = { fetch, origins, originTimeoutMs };
  const caching = { cache: createResponseCache(config.cacheBytes, now), cacheSeconds, now };

  async function answer(c: Context<EdgeEnv>): Promise<Response> {
    let request: ReadRequest;
    try {
      request = await readRequest(c);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return errorResponse("invalid_json", "body: want JSON, got text that does not parse");
    }
    const { outgoing, json, models } = request;
    const ask = () => forward(outgoing, models, forwarding);
    if (outgoing.method !== "POST") return ask();
    const cacheControl = c.req.header("cache-control");
    return answerWithCache({ path: outgoing.path, json, cacheControl }, caching, ask);
  }

  async function answerModels(c: Context<EdgeEnv>): Promise<Response> {
    const { outgoing } = await readRequest(c);
    const list = await listModels(outgoing, forwarding);
    return list ? c.json(list) : errorResponse("origin_unavailable", "no inference server answers");
  }

  async function answerReady(c: Context<EdgeEnv>): Promise<Response> {
    const ready = await origins.check();
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
    .use("/v1/*", limitBody(config.bodyBytes))
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
    allowHeaders: ["authorization", "content-type", "x-request-id", "cache-control"],
    allowMethods: ["GET", "POST", "DELETE"],
    exposeHeaders: ["x-request-id", "x-cache", "age", "retry-after"],
    maxAge: 3600,
  });
}

function limitBody(maxSize: number) {
  return bodyLimit({
    maxSize,
    onError: () => errorResponse("request_too_large", `body: want at most ${maxSize} bytes`),
  });
}
