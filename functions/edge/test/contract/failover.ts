/** What happens when origins are down, busy, slow or broken. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sendJson, type Behaviour, type TestOrigin } from "../origin.ts";
import type { RunningEdge } from "../runtimes.ts";
import { errorOf, greedy, post, type Bench } from "./bench.ts";

export function failoverContract({ origin, edge }: Bench): void {
  describe("failover", () => {
    /** Two origins, of which the first is tried first. */
    async function pair(first: Behaviour, variables: Record<string, string> = {}) {
      const [bad, good] = [await origin(first), await origin()];
      const at = await edge([bad, good], { EDGE_CACHE_SECONDS: "0", ...variables });
      return { bad, good, at };
    }
    /** Asks until the bad one has been asked once, and returns that answer. */
    async function askBad({
      at,
      bad,
      good,
    }: {
      at: RunningEdge;
      bad: TestOrigin;
      good: TestOrigin;
    }) {
      const before = bad.seen.length;
      for (let tries = 0; tries < 3; tries++) {
        const response = await post(at, greedy);
        if (bad.seen.length > before) return response;
        expect(await response.json()).toMatchObject({ from: good.url });
      }
      throw new Error("the first origin was not asked");
    }

    it("goes round an origin that is down, without the client noticing", async () => {
      const [dead, good] = [await origin(), await origin()];
      const at = await edge([dead, good], { EDGE_CACHE_SECONDS: "0" });
      await dead.kill();
      for (let count = 0; count < 5; count++) {
        const response = await post(at, { ...greedy, stream: count % 2 === 0 });
        expect([response.status, await response.json()]).toMatchObject([200, { from: good.url }]);
      }
    });

    it.each([
      ["a refusal with retry-after", 503, { "retry-after": "30" }],
      ["too many requests", 429, { "retry-after": "30" }],
      ["a bad gateway", 502, {}],
      ["Cloudflare's 521", 521, {}],
    ])("goes round %s, and leaves that origin alone for a while", async (_, status, headers) => {
      const both = await pair((response) => sendJson(response, { error: {} }, status, headers));
      expect(await (await askBad(both)).json()).toMatchObject({ from: both.good.url });
      for (let count = 0; count < 4; count++)
        expect((await post(both.at, greedy)).status).toBe(200);
      expect(both.bad.seen.length).toBe(1);
      expect(both.bad.seen[0]?.body).toBe(both.good.seen.at(-1)?.body);
    });

    it("goes round an origin that dies in the middle of its JSON", async () => {
      const both = await pair((response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"from":', () => setTimeout(() => response.destroy(), 20));
      });
      expect(await (await askBad(both)).json()).toMatchObject({ from: both.good.url });
    });

    it("passes on a refusal, with its retry-after, when no other origin answers", async () => {
      const full = {
        error: { message: "full", type: "overloaded_error", param: null, code: "queue_full" },
      };
      const dead = await origin();
      const busy = await origin((response) =>
        sendJson(response, full, 503, { "retry-after": "7" }),
      );
      const at = await edge([dead, busy]);
      await dead.kill();
      for (let count = 0; count < 2; count++) {
        const response = await post(at, greedy);
        expect(response.headers.get("retry-after")).toBe("7");
        expect(await errorOf(response)).toEqual([503, "queue_full"]);
      }
    });

    it("says so in OpenAI's shape when none is there, or a page stands in its place", async () => {
      const page = await origin(
        (response) =>
          void response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>"),
      );
      expect(await errorOf(await post(await edge([page]), greedy))).toEqual([
        503,
        "origin_unavailable",
      ]);
      await page.kill();
      const response = await post(await edge([page]), greedy);
      expect(response.headers.get("retry-after")).toBe("1");
      expect(await errorOf(response)).toEqual([503, "origin_unavailable"]);
    });

    it("does not ask again after other errors: they are answers", async () => {
      let status = 0;
      const both = await pair((response) => sendJson(response, { error: { code: "own" } }, status));
      for (status of [400, 404, 500, 504]) {
        const response = await askBad(both);
        expect([response.status, await response.json()]).toEqual([
          status,
          { error: { code: "own" } },
        ]);
      }
    });

    it("gives up on an origin that is silent for too long, and ends its request", async () => {
      const both = await pair(() => {}, { EDGE_ORIGIN_TIMEOUT_MS: "300" });
      expect(await errorOf(await askBad(both))).toEqual([504, "generation_timeout"]);
      await both.bad.seen[0]?.gone;
    });

    it("avoids an origin that says it is not ready, until it says it is", async () => {
      const both = await pair((response) => sendJson(response, { from: "bad" }), {
        EDGE_HEALTH_INTERVAL_MS: "50",
      });
      async function fromBad(): Promise<number> {
        const before = both.bad.seen.length;
        for (let count = 0; count < 4; count++) await post(both.at, greedy);
        return both.bad.seen.length - before;
      }
      /** Asks until the share of the bad one is as wanted: health is looked at beside requests. */
      async function until(wanted: (share: number) => boolean): Promise<void> {
        while (!wanted(await fromBad())) await sleep(60);
      }
      both.bad.ready = false;
      await until((share) => share === 0);
      both.bad.ready = true;
      await until((share) => share > 0);
      expect((await post(both.at, greedy)).status).toBe(200);
    });

    it("says by /ready whether any origin is", async () => {
      const behind = await origin();
      expect((await fetch(`${(await edge([behind])).url}/ready`)).status).toBe(200);
      behind.ready = false;
      expect((await fetch(`${(await edge([behind])).url}/ready`)).status).toBe(503);
    });
  });
}
