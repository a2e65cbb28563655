import { expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";

test("nothing set: this machine only, nano, a folder beside", () => {
  expect(readEnvironment({ PATH: "/bin" })).toMatchObject({
    host: "127.0.0.1",
    port: 8000,
    models: ["models/nano/converted"],
    store: "data/store",
    config: { keys: [], corsOrigins: [], logContent: false, limits: { imagesPerRequest: 16 } },
    engine: {
      maxBatch: 8,
      queueLimit: 64,
      memoryLimit: undefined,
      cacheBytes: undefined,
      idleUnload: undefined,
      provider: "auto",
      precision: "auto",
    },
  });
});

test("reads lists, numbers and limits", () => {
  const environment = readEnvironment({
    PORT: "0",
    TINYGPTV_MODELS: "models/a, store:b",
    TINYGPTV_KEYS: "first-key,second-key",
    TINYGPTV_IDLE_UNLOAD: "60",
    TINYGPTV_HANG_TIMEOUT: "12",
    TINYGPTV_PROVIDER: "webgpu",
    TINYGPTV_PRECISION: "float32",
    TINYGPTV_SHUTDOWN_GRACE: "5",
    TINYGPTV_BODY_BYTES: "1000",
    TINYGPTV_LOG_CONTENT: "true",
  });
  expect(environment).toMatchObject({
    port: 0,
    models: ["models/a", "store:b"],
    shutdownGraceMs: 5000,
    engine: {
      idleUnload: 60_000,
      hangTimeout: 12_000,
      stallTimeout: 300_000,
      provider: "webgpu",
      precision: "float32",
    },
    config: { keys: ["first-key", "second-key"], logContent: true, limits: { bodyBytes: 1000 } },
  });
});

test.each([
  [{ PORT: "http" }, "PORT: want a whole number"],
  [{ TINYGPTV_KEYS: "short" }, /^TINYGPTV_KEYS: want keys of 8 to 256/],
  [{ TINYGPTV_BODY_BYTES: "0" }, /^TINYGPTV_BODY_BYTES: /],
  [
    { TINYGPTV_CORS_ORIGINS: "localhost:5174" },
    /^TINYGPTV_CORS_ORIGINS: want .*https:\/\/.*got "localhost:5174"/,
  ],
  [{ TINYGPTV_CORS_ORIGINS: "*" }, /^TINYGPTV_CORS_ORIGINS: /],
  [{ TINYGPTV_CORS_ORIGINS: "null" }, /^TINYGPTV_CORS_ORIGINS: /],
  [{ TINYGPTV_CORS_ORIGINS: "https://a.example/app" }, /^TINYGPTV_CORS_ORIGINS: /],
  [{ TINYGPTV_BYTES_IN_FLIGHT: "0" }, /^TINYGPTV_BYTES_IN_FLIGHT: /],
  [{ TINYGPTV_HANG_TIMEOUT: "0" }, "TINYGPTV_HANG_TIMEOUT: want at least 1"],
  [{ TINYGPTV_PROVIDER: "gpu" }, /^TINYGPTV_PROVIDER: .*"webgpu"/],
  [{ TINYGPTV_PRECISION: "half" }, /^TINYGPTV_PRECISION: .*"float16"/],
  [{ TINYGPTV_LOG_LEVEL: "loud" }, /^TINYGPTV_LOG_LEVEL: /],
  [{ TINYGPTV_MODEL: "nano" }, "TINYGPTV_MODEL: there is no such variable"],
])("%o is refused", (variables, message) => {
  expect(() => readEnvironment(variables)).toThrow(message);
});

test("a key that is refused is not shown", () => {
  expect(() => readEnvironment({ TINYGPTV_KEYS: "s3cret!" })).not.toThrow(/s3cret/);
});
