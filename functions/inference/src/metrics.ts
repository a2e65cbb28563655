/** `GET /metrics`: what Prometheus reads. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EngineStatus } from "@tinygptv/protocol";

export interface Metrics {
  request(labels: { method: string; route: string; status: string }, seconds: number): void;
  firstToken(model: string, seconds: number): void;
  /** One finished answer. */
  answer(model: string, tokens: number, decodeSeconds: number): void;
  /** Everything in Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

const gauges: Record<string, { help: string; read: (status: EngineStatus) => number }> = {
  tinygptv_engine_ready: {
    help: "1 while the engine process is ready",
    read: (s) => Number(s.state === "ready"),
  },
  tinygptv_requests_running: { help: "Requests in the batch", read: (s) => s.running },
  tinygptv_requests_queued: {
    help: "Requests waiting for a place in the batch",
    read: (s) => s.queued,
  },
  tinygptv_queue_limit: { help: "Most requests that can wait", read: (s) => s.queueLimit },
  tinygptv_batch_size: { help: "Rows of the last forward pass", read: (s) => s.batchSize },
  tinygptv_engine_memory_bytes: {
    help: "Resident memory of the engine process",
    read: (s) => s.rssBytes,
  },
  tinygptv_models_loaded: { help: "Models in memory", read: (s) => s.loadedModels.length },
};

const counters: Record<string, { help: string; read: (status: EngineStatus) => number }> = {
  tinygptv_engine_restarts_total: {
    help: "Times the engine process was started again",
    read: (s) => s.restarts,
  },
  tinygptv_image_cache_hits_total: {
    help: "Pictures whose features were at hand",
    read: (s) => s.imageCacheHits,
  },
  tinygptv_image_cache_misses_total: {
    help: "Pictures that went through the vision encoder",
    read: (s) => s.imageCacheMisses,
  },
  tinygptv_prefix_cached_tokens_total: {
    help: "Prompt positions taken from the prefix cache",
    read: (s) => s.prefixCachedTokens,
  },
  tinygptv_generated_tokens_total: { help: "Tokens generated", read: (s) => s.generatedTokens },
};

/** `status` is read at every scrape. */
export function createMetrics(status: () => EngineStatus): Metrics {
  const registry = new Registry();
  const registers = [registry];
  for (const [name, { help, read }] of Object.entries(gauges))
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(status()));
      },
    });
  for (const [name, { help, read }] of Object.entries(counters))
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(status()));
      },
    });
  const requests = new Histogram({
    name: "tinygptv_http_request_seconds",
    help: "Time from a request's arrival to the last byte of its answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
    registers,
  });
  const firstToken = new Histogram({
    name: "tinygptv_time_to_first_token_seconds",
    help: "Time from a generation's submission to its first token",
    labelNames: ["model"],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const speed = new Histogram({
    name: "tinygptv_tokens_per_second",
    help: "Tokens of an answer per second of decoding",
    labelNames: ["model"],
    buckets: [1, 3, 10, 30, 100, 300, 1000],
    registers,
  });
  return {
    request: (labels, seconds) => requests.observe(labels, seconds),
    firstToken: (model, seconds) => firstToken.observe({ model }, seconds),
    answer(model, tokens, decodeSeconds) {
      if (decodeSeconds > 0) speed.observe({ model }, tokens / decodeSeconds);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
