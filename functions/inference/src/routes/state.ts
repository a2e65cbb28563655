import { Hono } from "hono";
import { healthSchema, readySchema } from "@tinygptv/protocol/http";
import type { Health, Ready } from "@tinygptv/protocol/http";
import { createReadiness } from "../readiness.ts";
import { createStoreReadiness } from "../storeReadiness.ts";
import type { AppEnv, Services } from "../services.ts";
import { documented, json } from "./describe.ts";

const getHealth = documented({
  summary: "Is the server alive?",
  description:
    "200 as long as it is, whatever the engine does: told from what is known of it, which may be some seconds old.",
  security: [],
  responses: { 200: { description: "It is", content: json(healthSchema) } },
});
const getReady = documented({
  summary: "Does a model answer, and can pictures be kept?",
  security: [],
  responses: {
    200: { description: "It does", content: json(readySchema) },
    503: { description: "It does not", content: json(readySchema) },
  },
});

/** `GET /health`, `GET /ready`: for load balancers, without a key. */
export function stateRoutes(services: Services): Hono<AppEnv> {
  const { engine, activity } = services;
  const readiness = createReadiness(engine);
  const storeReadiness = createStoreReadiness(services);
  const began = performance.now();
  return new Hono<AppEnv>()
    .get("/health", getHealth, (c) => {
      const status = engine.status();
      const answer: Health = {
        status: "ok",
        uptime_seconds: Math.round((performance.now() - began) / 1000),
        engine: {
          state: status.state,
          running: status.running,
          queued: status.queued,
          queue_limit: status.queueLimit,
          batch_size: status.batchSize,
          restarts: status.restarts,
          rss_bytes: status.rssBytes,
          loaded_models: status.loadedModels,
          execution_providers: status.executionProviders,
        },
      };
      return c.json(answer);
    })
    .get("/ready", getReady, async (c) => {
      const answer: Ready = activity.draining
        ? { ready: false, reason: "the server is shutting down" }
        : firstUnready(await Promise.all([readiness(), storeReadiness()]));
      return c.json(answer, answer.ready ? 200 : 503);
    });
}

function firstUnready(answers: readonly Ready[]): Ready {
  return answers.find(({ ready }) => !ready) ?? { ready: true };
}

/** `GET /metrics` */
export function metricsRoutes({ metrics }: Services): Hono<AppEnv> {
  const get = documented({
    summary: "Measurements for Prometheus",
    responses: { 200: { description: "Prometheus' text format", content: { "text/plain": {} } } },
  });
  return new Hono<AppEnv>().get("/metrics", get, async (c) =>
    c.body(await metrics.text(), 200, { "content-type": metrics.contentType }),
  );
}
