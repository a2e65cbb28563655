/** What the edge function does, whatever runtime it runs in: each test asks a real one over HTTP. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  sendEvent,
  sendJson,
  startEvents,
  startOrigin,
  type Behaviour,
  type TestOrigin,
} from "./origin.ts";
import type { RunningEdge, StartEdge } from "./runtimes.ts";

const anna = { name: "anna", key: "key-of-anna-0123456789" };
const ben = { name: "ben", key: "key-of-ben-0123456789" };
const greedy = { model: "nano", messages: [{ role: "user", content: "What is it?" }] };
const chat = "/v1/chat/completions";

interface RuntimeTraits {
  /** Whether it tells the function that a client left before there is anything to write. */
  noticesLeaving: boolean;
}

export function edgeContract(
  runtime: string,
  load: () => Promise<StartEdge>,
  { noticesLeaving }: RuntimeTraits,
): void {
  describe(`the edge function in ${runtime}`, () => {
    let startEdge: StartEdge;
    const running: { close(): Promise<void> }[] = [];
    beforeAll(async () => {
      startEdge = await load();
    });
    afterEach(async () => {
      await Promise.all(running.splice(0).map((one) => one.close()));
    });

    async function origin(behave?: Behaviour): Promise<TestOrigin> {
      const started = await startOrigin(behave);
      running.push({ close: () => started.kill() });
      return started;
    }

    type OriginSettings = { models?: string[]; key?: string };
    /** Starts the edge before these origins. */
    async function edge(
      origins: (TestOrigin | [TestOrigin, OriginSettings])[],
      variables: Record<string, string> = {},
    ): Promise<RunningEdge> {
      const described = origins.map((one) =>
        Array.isArray(one) ? { url: one[0].url, ...one[1] } : { url: one.url },
      );
      const started = await startEdge({
        EDGE_KEYS: JSON.stringify([anna, ben]),
        EDGE_ORIGINS: JSON.stringify(described),
        ...variables,
      });
      running.push(started);
      return started;
    }

    function post(
      at: RunningEdge,
      body: unknown,
      headers: Record<string, string> = {},
      path = chat,
      signal?: AbortSignal,
    ) {
      return fetch(at.url + path, {
        method: "POST",
        headers: {
          authorization: `Bearer ${anna.key}`,
          "content-type": "application/json",
          ...headers,
        },
        body: typeof body === "string" ? body : JSON.stringify(body),
        signal,
      });
    }
    const get = (at: RunningEdge, path: string, headers: Record<string, string> = {}) =>
      fetch(at.url + path, { headers: { authorization: `Bearer ${anna.key}`, ...headers } });

    /** Status and code of an error, which has OpenAI's shape. */
    async function errorOf(response: Response): Promise<[number, string]> {
      const { error } = (await response.json()) as { error: { code: string } };
      expect(error).toEqual({
        message: expect.any(String),
        type: expect.any(String),
        param: null,
        code: error.code,
      });
      return [response.status, error.code];
    }

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
          cookie: "a=b",
          "x-forwarded-for": "10.0.0.1",
          "x-api-key": "secret",
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
        expect((await post(at, greedy, { authorization: `Bearer ${ben.key}` })).status).toBe(200);
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

      it("refuse what is called JSON and is none", async () => {
        const at = await edge([await origin()]);
        expect(await errorOf(await post(at, "{"))).toEqual([400, "invalid_json"]);
      });
    });

    describe("headers", () => {
      it("name each request: as the client does, or anew; the origin sees the same", async () => {
        const behind = await origin();
        const at = await edge([behind]);
        const given = await post(at, greedy, {
          "x-request-id": "client-1",
          "cache-control": "no-store",
        });
        const made = await post(at, greedy, {
          "x-request-id": "not a name!",
          "cache-control": "no-store",
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
        const answer = await post(at, greedy, { origin: "https://other.example" });
        expect(answer.headers.get("access-control-allow-origin")).toBe("https://other.example");
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

    describe("the cache", () => {
      async function answers(
        at: RunningEdge,
        ...requests: [unknown, Record<string, string>?, string?][]
      ) {
        const found: [string | null, unknown][] = [];
        for (const [body, headers, path] of requests) {
          const response = await post(at, body, headers, path);
          found.push([
            response.headers.get("x-cache"),
            ((await response.json()) as { answer: unknown }).answer,
          ]);
        }
        return found;
      }

      it("gives an answer again to whoever asks the same", async () => {
        const at = await edge([await origin()]);
        const { messages, model } = greedy;
        expect(
          await answers(
            at,
            [greedy],
            [greedy],
            [{ messages, model, user: "u", stream: false, seed: null }],
            [greedy, { authorization: `Bearer ${ben.key}` }],
            [{ ...greedy, max_tokens: 5 }],
            [{ ...greedy, num_beams: 3 }],
            [{ ...greedy, num_beams: 3 }],
            [{ ...greedy, temperature: 1, seed: 7 }],
            [{ ...greedy, temperature: 1, seed: 7 }],
            [{ ...greedy, temperature: 1, seed: 8 }],
          ),
        ).toEqual([
          ["miss", 1],
          ["hit", 1],
          ["hit", 1],
          ["hit", 1],
          ["miss", 2],
          ["miss", 3],
          ["hit", 3],
          ["miss", 4],
          ["hit", 4],
          ["miss", 5],
        ]);
      });

      it("passes by what may have another answer", async () => {
        const at = await edge([await origin()]);
        const picture = (url: string) => ({
          messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
        });
        const sampled = { ...greedy, temperature: 0.7 };
        const remote = picture("https://example.com/cat.png");
        const data = picture("data:image/png;base64,AAAA");
        const invalid = { ...greedy, unknown_parameter: 1 };
        expect(
          await answers(
            at,
            [sampled],
            [sampled],
            [remote],
            [remote],
            [invalid],
            [invalid],
            [greedy, {}, "/v1/tokenize"],
            [data],
            [data],
          ),
        ).toEqual([
          [null, 1],
          [null, 2],
          [null, 3],
          [null, 4],
          [null, 5],
          [null, 6],
          [null, 7],
          ["miss", 8],
          ["hit", 8],
        ]);
      });

      it("does as `cache-control` of the request says", async () => {
        const at = await edge([await origin()]);
        expect(
          await answers(
            at,
            [greedy, { "cache-control": "no-store" }],
            [greedy],
            [greedy, { "cache-control": "no-cache" }],
            [greedy],
            [greedy, { "cache-control": "max-age=0" }],
            [greedy, { "cache-control": "max-age=100" }],
          ),
        ).toEqual([
          [null, 1],
          ["miss", 2],
          ["miss", 3],
          ["hit", 3],
          ["miss", 4],
          ["hit", 4],
        ]);
      });

      it("keeps only good answers, and those that the origin lets it keep", async () => {
        const behind = await origin();
        const at = await edge([behind]);
        const kept: Record<string, boolean> = {};
        for (const [control, status] of [
          ["no-store", 200],
          ["private", 200],
          ["no-cache", 200],
          ["max-age=0", 200],
          ["max-age=60", 200],
          ["max-age=60", 500],
          ["max-age=60", 400],
        ] as const) {
          behind.behave = (response) =>
            sendJson(response, {}, status, { "cache-control": control });
          const request = { ...greedy, model: `nano:${control}-${status}` };
          await post(at, request);
          kept[`${control} ${status}`] = (await post(at, request)).headers.get("x-cache") === "hit";
        }
        expect(Object.keys(kept).filter((name) => kept[name])).toEqual(["max-age=60 200"]);
        expect(behind.seen.length).toBe(13);
      });

      it("can be switched off", async () => {
        const at = await edge([await origin()], { EDGE_CACHE_SECONDS: "0" });
        expect(await answers(at, [greedy], [greedy])).toEqual([
          [null, 1],
          [null, 2],
        ]);
      });
    });

    describe("routing", () => {
      it("goes by the model", async () => {
        const [small, large, all] = [await origin(), await origin(), await origin()];
        const at = await edge(
          [
            [small, { models: ["nano"] }],
            [large, { models: ["full:int4", "full:fp16"] }],
            [all, { models: ["other", "nano:fp32"] }],
          ],
          { EDGE_CACHE_SECONDS: "0" },
        );
        const from = async (body: object, path = chat) =>
          ((await (await post(at, body, {}, path)).json()) as { from: string }).from;
        const { messages } = greedy;
        expect(await from({ messages, model: "nano:int8" })).toBe(small.url);
        expect(await from({ messages, model: "full:int4" })).toBe(large.url);
        expect(await from({ messages, model: "full" })).toBe(large.url);
        expect(await from({ messages, model: "other:x" })).toBe(all.url);
        expect(await from({ messages, models: ["other", "nano:fp32"] }, "/v1/compare")).toBe(
          all.url,
        );
        expect(
          ((await (await get(at, "/v1/models/full%3Aint4")).json()) as { from: string }).from,
        ).toBe(large.url);
        const before = [small, large, all].map(({ seen }) => seen.length);
        for (const request of [
          { messages, model: "absent" },
          { messages, models: ["full", "nano"] },
        ])
          expect([
            (await post(at, request)).status,
            await (await post(at, request)).json(),
          ]).toMatchObject([404, { error: { code: "model_not_found", param: "model" } }]);
        expect([small, large, all].map(({ seen }) => seen.length)).toEqual(before);
      });

      it("shares requests out among those that serve a model", async () => {
        const both = [await origin(), await origin()];
        const at = await edge(both, { EDGE_CACHE_SECONDS: "0" });
        for (let count = 0; count < 6; count++) await post(at, greedy);
        expect(both.map(({ seen }) => seen.length)).toEqual([3, 3]);
      });

      it("lists the models of all origins, each once", async () => {
        const model = (id: string) => ({
          id,
          object: "model",
          created: 1,
          owned_by: "tinygpt-v",
          name: id.split(":")[0],
          level: id.split(":")[1],
          weights: "trained",
          file_bytes: 1,
          memory_bytes: 1,
          context_length: 64,
          image_size: 28,
          input_modalities: ["text", "image"],
          output_modalities: ["text"],
          loaded: false,
          execution_provider: null,
        });
        const serving = (...ids: string[]) =>
          origin((response) => sendJson(response, { object: "list", data: ids.map(model) }));
        const dead = await origin();
        await dead.kill();
        const at = await edge([
          await serving("nano:fp32", "nano:int8"),
          dead,
          [await serving("nano:fp32", "full:int4"), { models: ["full"] }],
        ]);
        const { object, data } = (await (await get(at, "/v1/models")).json()) as {
          object: string;
          data: { id: string }[];
        };
        expect([object, data.map(({ id }) => id)]).toEqual([
          "list",
          ["nano:fp32", "nano:int8", "full:int4"],
        ]);
        expect(await errorOf(await get(await edge([dead]), "/v1/models"))).toEqual([
          503,
          "origin_unavailable",
        ]);
      });

      it("passes any method, query, body and type, whole", async () => {
        const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
        const behind = await origin((response) => {
          response.writeHead(201, { "content-type": "image/png" });
          response.end(bytes);
        });
        const at = await edge([behind]);
        const form = new FormData();
        form.set("file", new Blob(["picture"]), "a.png");
        const headers = { authorization: `Bearer ${anna.key}` };
        const created = await fetch(`${at.url}/v1/images?a=1&b=%2F`, {
          method: "POST",
          headers,
          body: form,
        });
        expect([created.status, created.headers.get("content-type")]).toEqual([201, "image/png"]);
        expect(new Uint8Array(await created.arrayBuffer())).toEqual(bytes);
        expect(behind.seen[0]).toMatchObject({
          path: "/v1/images?a=1&b=%2F",
          body: expect.stringContaining("picture"),
        });
        behind.behave = (response) => void response.writeHead(204).end();
        const removed = await fetch(`${at.url}/v1/images/img_1`, { method: "DELETE", headers });
        expect([removed.status, behind.seen[1]?.method]).toEqual([204, "DELETE"]);
      });

      it("leads to no more than the API and its documentation", async () => {
        const behind = await origin();
        const at = await edge([behind]);
        for (const path of ["/metrics", "/", "/v1/../metrics", "/docs.json"])
          expect(await errorOf(await get(at, path))).toEqual([404, "not_found"]);
        expect(behind.seen).toEqual([]);
        for (const path of ["/openapi.json", "/docs", "/docs/start.js"])
          expect((await fetch(at.url + path)).status).toBe(200);
        expect((await fetch(`${at.url}/health`)).status).toBe(200);
      });
    });

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
            void response
              .writeHead(502, { "content-type": "text/html" })
              .end("<h1>Bad gateway</h1>"),
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
        const both = await pair((response) =>
          sendJson(response, { error: { code: "own" } }, status),
        );
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

    describe("streams", () => {
      const streamed = { ...greedy, stream: true };

      /** Reads events as they come. */
      function reader(response: Response) {
        const chunks = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
        return async () => {
          const { done, value } = await chunks.next();
          return done ? undefined : value;
        };
      }

      it("pass through event by event, as the origin sends them", async () => {
        const received: (() => void)[] = [];
        const behind = await origin(async (response) => {
          startEvents(response);
          for (const text of ["one", "two", "three"]) {
            sendEvent(response, text);
            // The next one only after the client has this one: a gathered stream would hang here.
            await new Promise<void>((resolve) => received.push(resolve));
          }
          response.end("data: [DONE]\n\n");
        });
        const response = await post(await edge([behind]), streamed);
        expect(response.headers.get("content-type")).toBe("text/event-stream");
        expect(response.headers.get("x-cache")).toBeNull();
        const next = reader(response);
        for (const text of ["one", "two", "three"]) {
          expect(await next()).toBe(`data: ${JSON.stringify({ text })}\n\n`);
          received.shift()?.();
        }
        expect(await next()).toBe("data: [DONE]\n\n");
        expect(await next()).toBeUndefined();
      });

      it("end at the origin when the client goes away in the middle", async () => {
        const behind = await origin(async (response, { gone }) => {
          startEvents(response);
          const ticks = setInterval(() => sendEvent(response, "tick"), 10);
          await gone;
          clearInterval(ticks);
        });
        const abort = new AbortController();
        const response = await post(await edge([behind]), streamed, {}, chat, abort.signal);
        const next = reader(response);
        await next();
        abort.abort();
        await expect(next()).rejects.toMatchObject({ name: "AbortError" });
        await behind.seen[0]?.gone;
      });

      it.runIf(noticesLeaving).each([
        ["a stream", streamed],
        ["an answer in one piece", greedy],
      ])("end at the origin when the client goes away before %s begins", async (_, body) => {
        const asked = Promise.withResolvers<void>();
        const behind = await origin(() => asked.resolve());
        const abort = new AbortController();
        const response = post(await edge([behind]), body, {}, chat, abort.signal);
        await asked.promise;
        abort.abort();
        await expect(response).rejects.toMatchObject({ name: "AbortError" });
        await behind.seen[0]?.gone;
      });

      it.each([
        ["between two events", ""],
        ["within an event", 'data: {"te'],
      ])(
        "end with an error event when the origin dies %s, and are not begun again",
        async (_, rest) => {
          const dying = await origin((response) => {
            startEvents(response);
            const written = `data: {"text":"one"}\n\n${rest}`;
            response.write(written, () => setTimeout(() => response.destroy(), 30));
          });
          const at = await edge([dying]);
          const text = await (await post(at, streamed)).text();
          const events = text.split("\n\n").filter(Boolean);
          const [first, last, ...others] = events.map((event) =>
            JSON.parse(event.replace("data: ", "")),
          );
          expect([first, others, dying.seen.length]).toEqual([{ text: "one" }, [], 1]);
          expect(last).toMatchObject({
            error: { type: "server_error", code: "origin_unavailable" },
          });
        },
      );

      it("arrive whole where the origin sends events in pieces, or ends without an empty line", async () => {
        const pieces = ['data: {"a"', ":1}\n", "\ndata: 2\n\nda", "ta: 3\n\n", "data: [DO", "NE]"];
        const behind = await origin(async (response) => {
          startEvents(response);
          for (const piece of pieces) {
            response.write(piece);
            await sleep(5);
          }
          response.end();
        });
        expect(await (await post(await edge([behind]), streamed)).text()).toBe(pieces.join(""));
      });

      it("are given up when the origin falls silent", async () => {
        const behind = await origin((response) => {
          startEvents(response);
          sendEvent(response, "one");
        });
        const at = await edge([behind], { EDGE_ORIGIN_TIMEOUT_MS: "300" });
        expect(await (await post(at, streamed)).text()).toContain('"origin_unavailable"');
        await behind.seen[0]?.gone;
      });
    });
  });
}
