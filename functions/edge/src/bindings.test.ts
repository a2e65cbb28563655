import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readBindings, variableNames } from "./bindings.ts";

const key = "key-of-anna-0123456789";
const keys = JSON.stringify([{ name: "anna", key }]);
const origins = JSON.stringify([{ url: "https://a.example" }]);
const least = { EDGE_KEYS: keys, EDGE_ORIGINS: origins };

describe("readBindings", () => {
  it("fills in defaults, and takes no notice of what is not its own", () => {
    const config = readBindings({ ...least, PATH: "/bin", LIMITS: {} });
    expect(config).toEqual({
      keys: [{ name: "anna", key }],
      origins: [{ url: "https://a.example" }],
      corsOrigins: [],
      requestsPerMinute: 120,
      burst: 30,
      bodyBytes: 16 * 1024 * 1024,
      heldBytes: 32 * 1024 * 1024,
      cacheSeconds: 300,
      cacheBytes: 32 * 1024 * 1024,
      originTimeoutMs: 300_000,
      healthIntervalMs: 10_000,
      readyTimeoutMs: 3_000,
    });
  });

  it("reads numbers and lists", () => {
    expect(
      readBindings({
        ...least,
        EDGE_BURST: "5",
        EDGE_CACHE_SECONDS: "0",
        EDGE_CORS_ORIGINS: "https://a.example/, HTTPS://B.example:443,",
      }),
    ).toMatchObject({
      burst: 5,
      cacheSeconds: 0,
      corsOrigins: ["https://a.example", "https://b.example"],
    });
  });

  it.each([
    ["EDGE_KEYS", {}],
    ["EDGE_KEYS", { EDGE_KEYS: "[]" }],
    ["EDGE_KEYS", { EDGE_KEYS: `[${keys}` }],
    ["EDGE_KEYS.0.key", { EDGE_KEYS: '[{"name":"a","key":"short"}]' }],
    [
      "EDGE_KEYS",
      {
        EDGE_KEYS: JSON.stringify([
          { name: "a", key },
          { name: "b", key },
        ]),
      },
    ],
    ["EDGE_ORIGINS", { EDGE_ORIGINS: "[]" }],
    ["EDGE_ORIGINS.0.url", { EDGE_ORIGINS: '[{"url":"https://a.example/v1"}]' }],
    ["EDGE_ORIGINS.0.url", { EDGE_ORIGINS: '[{"url":"file:///etc/passwd"}]' }],
    ["EDGE_ORIGINS.0", { EDGE_ORIGINS: '[{"url":"https://a.example","weight":1}]' }],
    ["EDGE_CORS_ORIGINS.0", { EDGE_CORS_ORIGINS: "*" }],
    ["EDGE_CORS_ORIGINS.1", { EDGE_CORS_ORIGINS: "https://a.example,localhost:5174" }],
    ["EDGE_HELD_BYTES", { EDGE_HELD_BYTES: "0" }],
    ["EDGE_BURST", { EDGE_BURST: "many" }],
    ["EDGE_BURST", { EDGE_BURST: "0" }],
    ["EDGE_CACHE_SECONDS", { EDGE_CACHE_SECONDS: "-1" }],
    ["EDGE_CASHE_SECONDS", { EDGE_CASHE_SECONDS: "1" }],
  ])("names %s where it is wrong: %j", (name, wrong) => {
    const env =
      Object.keys(wrong).length === 0 ? { EDGE_ORIGINS: origins } : { ...least, ...wrong };
    expect(() => readBindings(env)).toThrow(
      expect.objectContaining({
        code: "parameter",
        message: expect.stringMatching(new RegExp(`^${name}: `)),
      }),
    );
  });

  it("has every variable in docs/deployment.md, and no other", async () => {
    const page = await readFile(new URL("../../../docs/deployment.md", import.meta.url), "utf8");
    const documented = [...page.matchAll(/^\| `(EDGE_\w+)`/gm)].map(([, name]) => name);
    expect(documented).toEqual(variableNames);
  });

  it("shows no secret", () => {
    const secret = "a secret key";
    const env = { ...least, EDGE_KEYS: JSON.stringify([{ name: "anna", key: secret }]) };
    expect(() => readBindings(env)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });
});
