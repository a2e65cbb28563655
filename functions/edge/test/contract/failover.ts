/** What happens when origins are down, busy, slow or broken. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sendJson, type Behaviour, type Seen, type TestOrigin } from "../origin.ts";
import type { RunningEdge } from "../runtimes.ts";
import { anna, ben, errorOf, greedy, post, type Bench } from "./bench.ts";

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

    it("names an upload once, whichever origin it goes to, so that no second copy is made", async () => {
      const both = await pair((response) => void response.destroy());
      const { bad, good, at } = both;
      const share = (headers = {}) =>
        post(at, { markdown: "# Hello" }, { path: "/v1/notebooks", headers });
      while (bad.seen.length === 0) await share();
      const keyOf = ({ headers }: Seen) => headers["idempotency-key"];
      const [lost] = bad.seen.map(keyOf);
      expect(lost).toMatch(/./);
      expect(good.seen.map(keyOf).at(-1)).toBe(lost);
      for (const caller of [anna, anna, ben])
        await share({ authorization: `Bearer ${caller.key}`, "idempotency-key": "one" });
      const [first, again, other] = good.seen.slice(-3).map(keyOf);
      expect([first, first === other]).toEqual([again, false]);
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

    it.each([401, 403])(
      "goes round an origin that refuses the edge's own key (%s), and tells nobody theirs is wrong",
      async (status) => {
        const refusal = { error: { message: "this key is not valid", code: "invalid_api_key" } };
        const refusing: Behaviour = (response) =>
          sendJson(response, refusal, status, { "www-authenticate": "Bearer" });
        const both = await pair(refusing, { EDGE_HEALTH_INTERVAL_MS: "50" });
        expect(await (await askBad(both)).json()).toMatchObject({ from: both.good.url });
        const alone = await edge([both.bad], { EDGE_HEALTH_INTERVAL_MS: "50" });
        const refused = await post(alone, greedy);
        expect(refused.headers.get("www-authenticate")).toBeNull();
        expect(await errorOf(refused)).toEqual([503, "origin_unavailable"]);
        // Ready as it says it is, it can answer nobody; with another key it can again.
        expect((await fetch(`${alone.url}/ready`)).status).toBe(503);
        both.bad.behave = (response) => sendJson(response, { from: "bad" });
        expect((await fetch(`${alone.url}/ready`)).status).toBe(200);
        expect((await post(alone, greedy)).status).toBe(200);
      },
    );

    it.each([
      ["a redirect", 308, { location: "https://elsewhere.example/" }],
      ["a page that is not found", 404, { "content-type": "text/html" }],
      ["a page of an error", 500, { "content-type": "text/html" }],
    ])("goes round %s: no inference server answers so", async (_, status, headers) => {
      const both = await pair((response) => void response.writeHead(status, headers).end("<p>"));
      expect(await (await askBad(both)).json()).toMatchObject({ from: both.good.url });
      expect(await errorOf(await post(await edge([both.bad]), greedy))).toEqual([
        503,
        "origin_unavailable",
      ]);
    });

    it("does not ask again after a gateway's timeout: the work may go on behind it", async () => {
      let status = 504;
      const both = await pair(
        (response) => void response.writeHead(status, { "content-type": "text/html" }).end("<p>"),
      );
      for (status of [504, 524])
        expect(await errorOf(await askBad(both))).toEqual([504, "generation_timeout"]);
    });

    it("does not wait for an origin that has stopped", async () => {
      const both = await pair(() => {}, {
        EDGE_HEALTH_INTERVAL_MS: "100",
        EDGE_READY_TIMEOUT_MS: "300",
      });
      both.bad.stopped = true;
      const answers = await Promise.all(
        Array.from({ length: 10 }, async () => (await post(both.at, greedy)).json()),
      );
      expect(answers).toEqual(answers.map(() => expect.objectContaining({ from: both.good.url })));
      await both.bad.seen[0]?.gone;
    });

    it("waits for an origin that lives, however long its answer takes", async () => {
      const slow = await origin(async (response) => {
        await sleep(1000);
        sendJson(response, {});
      });
      const at = await edge([slow], {
        EDGE_HEALTH_INTERVAL_MS: "50",
        EDGE_READY_TIMEOUT_MS: "300",
      });
      expect((await post(at, greedy)).status).toBe(200);
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

    it("says so of now: at once when all are gone, and when one does not answer", async () => {
      const [first, second] = [await origin(), await origin()];
      const at = await edge([first, second], { EDGE_READY_TIMEOUT_MS: "60000" });
      const ready = async () => (await fetch(`${at.url}/ready`)).status;
      expect(await ready()).toBe(200);
      first.stopped = true;
      expect(await ready()).toBe(200);
      await Promise.all([first.kill(), second.kill()]);
      expect(await ready()).toBe(503);
    });
  });
}
