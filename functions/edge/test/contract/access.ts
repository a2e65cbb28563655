/** Who may ask, how often and how much; what headers come and go. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sendJson } from "../origin.ts";
import { anna, ben, chat, errorOf, greedy, post, type Bench } from "./bench.ts";

export function accessContract({ origin, edge }: Bench): void {
  describe("keys", () => {
    it("are refused unless they are ours", async () => {
      const behind = await origin();
      const at = await edge([behind]);
      const wrong = [
        undefined,
        "Bearer key-of-nobody-0123456",
        `Bearer ${anna.key}0`,
        `Basic ${anna.key}`,
        "Bearer ",
      ];
      for (const authorization of wrong) {
        const headers = authorization === undefined ? undefined : { authorization };
        const response = await fetch(at.url + chat, { method: "POST", headers, body: "{}" });
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
        expect(await errorOf(response)).toEqual([401, "invalid_api_key"]);
      }
      expect(behind.seen).toEqual([]);
    });

    it("stay at the edge: the origin sees its own and nothing else of the client", async () => {
      const behind = await origin();
      const at = await edge([[behind, { key: "key-of-the-origin" }]]);
      const response = await post(at, greedy, {
        headers: { cookie: "a=b", "x-forwarded-for": "10.0.0.1", "x-api-key": "secret" },
      });
      expect(response.status).toBe(200);
      const { headers, body, method, path } = behind.seen[0]!;
      expect([method, path, JSON.parse(body)]).toEqual(["POST", chat, greedy]);
      expect(headers.authorization).toBe("Bearer key-of-the-origin");
      expect(JSON.stringify(headers)).not.toMatch(/anna|a=b|10\.0\.0\.1|secret/);
    });
  });

  describe("limits", () => {
    it("refuse a key that asks too often, and only that one", async () => {
      const behind = await origin();
      const at = await edge([behind], {
        EDGE_KEYS: JSON.stringify([{ ...anna, requestsPerMinute: 1, burst: 3 }, ben]),
        EDGE_CACHE_SECONDS: "0",
      });
      const left: (string | null)[] = [];
      for (let count = 0; count < 3; count++) {
        const response = await post(at, greedy);
        expect(response.status).toBe(200);
        left.push(response.headers.get("x-ratelimit-remaining-requests"));
      }
      expect(left).toEqual(["2", "1", "0"]);
      const refused = await post(at, greedy);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
      expect(await errorOf(refused)).toEqual([429, "too_many_requests"]);
      expect(behind.seen.length).toBe(3);
      expect(
        (await post(at, greedy, { headers: { authorization: `Bearer ${ben.key}` } })).status,
      ).toBe(200);
    });

    it("refuse a body that is too large, said or not", async () => {
      const behind = await origin();
      const at = await edge([behind], { EDGE_BODY_BYTES: "1000" });
      expect(await errorOf(await post(at, "x".repeat(1001)))).toEqual([413, "request_too_large"]);
      const unsaid = new ReadableStream({
        async pull(controller) {
          await sleep(1);
          controller.enqueue(new Uint8Array(500));
        },
      });
      const response = await fetch(`${at.url}/v1/images`, {
        method: "POST",
        headers: { authorization: `Bearer ${anna.key}` },
        body: unsaid,
        duplex: "half",
      });
      expect(await errorOf(response)).toEqual([413, "request_too_large"]);
      expect(behind.seen).toEqual([]);
    });

    it("refuse what is called JSON and is none, or not in UTF-8", async () => {
      const at = await edge([await origin()]);
      expect(await errorOf(await post(at, "{"))).toEqual([400, "invalid_json"]);
      const replaced = JSON.stringify({
        ...greedy,
        messages: [{ role: "user", content: "\ufffd" }],
      });
      expect((await post(at, replaced)).headers.get("x-cache")).toBe("miss");
      const [before, after] = replaced.split("\ufffd").map((part) => Buffer.from(part));
      const latin = Buffer.concat([before!, Buffer.of(0xe9), after!]);
      expect(await errorOf(await post(at, latin))).toEqual([400, "invalid_json"]);
    });
  });

  describe("headers", () => {
    it("name each request: as the client does, or anew; the origin sees the same", async () => {
      const behind = await origin();
      const at = await edge([behind]);
      const given = await post(at, greedy, {
        headers: { "x-request-id": "client-1", "cache-control": "no-store" },
      });
      const made = await post(at, greedy, {
        headers: { "x-request-id": "not a name!", "cache-control": "no-store" },
      });
      const ids = [given, made].map(({ headers }) => headers.get("x-request-id"));
      expect(ids[0]).toBe("client-1");
      expect(ids[1]).toMatch(/^[\w-]{20,}$/);
      expect(behind.seen.map(({ headers }) => headers["x-request-id"])).toEqual(ids);
    });

    it("let listed pages call from a browser, and no others", async () => {
      const at = await edge([await origin()], {
        EDGE_CORS_ORIGINS: "https://page.example, https://other.example",
      });
      const preflight = (page: string) =>
        fetch(at.url + chat, {
          method: "OPTIONS",
          headers: {
            origin: page,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
          },
        });
      const allowed = await preflight("https://page.example");
      expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([
        204,
        "https://page.example",
      ]);
      expect(
        (await preflight("https://evil.example")).headers.get("access-control-allow-origin"),
      ).toBeNull();
      const answer = await post(at, greedy, { headers: { origin: "https://other.example" } });
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://other.example");
    });

    it("let pages of a listed origin send what they like and read what they need", async () => {
      const at = await edge([await origin()], { EDGE_CORS_ORIGINS: "HTTPS://Page.Example/" });
      const asked = "authorization,content-type,x-stainless-lang,openai-beta,traceparent";
      const preflight = await fetch(at.url + chat, {
        method: "OPTIONS",
        headers: {
          origin: "https://page.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": asked,
        },
      });
      expect([
        preflight.headers.get("access-control-allow-origin"),
        preflight.headers.get("access-control-allow-headers")?.split(/, ?/),
      ]).toEqual(["https://page.example", asked.split(",")]);
      const answer = await post(at, greedy, { headers: { origin: "https://page.example" } });
      const exposed = answer.headers.get("access-control-expose-headers")?.split(/, ?/) ?? [];
      const limits = [...answer.headers.keys()].filter((name) => name.startsWith("x-ratelimit-"));
      expect(limits.length).toBe(3);
      expect(exposed).toEqual(expect.arrayContaining([...limits, "retry-after", "x-request-id"]));
      const sandboxed = await post(at, greedy, { headers: { origin: "null" } });
      expect(sandboxed.headers.get("access-control-allow-origin")).toBeNull();
    });

    it("are secure, and the origin's own pass but for those of its connection and pages", async () => {
      const behind = await origin((response) =>
        sendJson(response, {}, 200, {
          "x-own": "1",
          "set-cookie": "a=b",
          server: "nginx",
          "access-control-allow-origin": "*",
        }),
      );
      const { headers } = await post(await edge([behind]), greedy);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(
        ["x-own", "set-cookie", "server", "access-control-allow-origin"].map((name) =>
          headers.get(name),
        ),
      ).toEqual(["1", null, null, null]);
    });
  });
}
