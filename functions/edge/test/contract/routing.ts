/** Which origin a request goes to, and with what. */
import { describe, expect, it } from "vitest";
import { sendEvent, sendJson, startEvents } from "../origin.ts";
import { anna, chat, errorOf, get, greedy, post, type Bench } from "./bench.ts";

const authorization = { authorization: `Bearer ${anna.key}` };

export function routingContract({ origin, edge }: Bench): void {
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
        ((await (await post(at, body, { path })).json()) as { from: string }).from;
      const { messages } = greedy;
      expect(await from({ messages, model: "nano:int8" })).toBe(small.url);
      expect(await from({ messages, model: "full:int4" })).toBe(large.url);
      expect(await from({ messages, model: "full" })).toBe(large.url);
      expect(await from({ messages, model: "other:x" })).toBe(all.url);
      expect(await from({ messages, models: ["other", "nano:fp32"] }, "/v1/compare")).toBe(all.url);
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

    it("spares an origin that is at work, until it is done", async () => {
      const [one, other] = [await origin(), await origin()];
      const at = await edge([one, other], { EDGE_CACHE_SECONDS: "0" });
      const share = async () => {
        const before = [one.seen.length, other.seen.length] as const;
        for (let count = 0; count < 4; count++) await (await post(at, greedy)).text();
        return [one.seen.length - before[0], other.seen.length - before[1]];
      };
      const finish = Promise.withResolvers<void>();
      one.behave = other.behave = async (response) => {
        startEvents(response);
        sendEvent(response, "one");
        await finish.promise;
        response.end();
      };
      const streamed = await post(at, { ...greedy, stream: true });
      const busy = one.seen.length > 0 ? 0 : 1;
      one.behave = other.behave = (response) => sendJson(response, {});
      const spared = await share();
      expect([spared[busy], spared[1 - busy]]).toEqual([0, 4]);
      finish.resolve();
      await streamed.text();
      expect(await share()).toEqual([2, 2]);
    });

    it("lists what the origins are there for, each model once", async () => {
      const model = (id: string) => ({
        id,
        object: "model",
        created: 1,
        owned_by: "tinygpt-v",
        name: id.split(":")[0],
        level: id.split(":")[1],
        root: id.split(":")[0],
        parent: null,
        weights: "trained",
        file_bytes: 1,
        memory_bytes: 1,
        context_length: 64,
        image_size: 28,
        input_modalities: ["text", "image"],
        output_modalities: ["text"],
        loaded: false,
        execution_provider: null,
        execution: null,
        integer_weights: null,
        copies: null,
      });
      const serving = (...ids: string[]) =>
        origin((response) => sendJson(response, { object: "list", data: ids.map(model) }));
      const dead = await origin();
      await dead.kill();
      const at = await edge([
        await serving("nano:fp32", "nano:int8"),
        dead,
        [await serving("nano:fp32", "other:fp32", "full:int4"), { models: ["full"] }],
      ]);
      const { object, data } = (await (await get(at, "/v1/models")).json()) as {
        object: string;
        data: { id: string }[];
      };
      expect([object, data.map(({ id }) => id)]).toEqual([
        "list",
        ["nano:fp32", "nano:int8", "full:int4"],
      ]);
      expect(
        (await fetch(`${at.url}/v1/models`, { method: "HEAD", headers: authorization })).status,
      ).toBe(200);
      expect(await errorOf(await get(await edge([dead]), "/v1/models"))).toEqual([
        503,
        "origin_unavailable",
      ]);
    });

    it.each([
      "application/json; charset=utf-8",
      "APPLICATION/JSON",
      "application/vnd.openai+json",
      "application/problem+json;v=1",
    ])("goes by the model in a body of type %s", async (type) => {
      const [one, other] = [await origin(), await origin()];
      const at = await edge([
        [one, { models: ["one"] }],
        [other, { models: ["other"] }],
      ]);
      for (const behind of [one, other]) {
        const body = { ...greedy, model: behind === one ? "one" : "other" };
        const response = await post(at, body, { headers: { "content-type": type } });
        expect(await response.json()).toMatchObject({ from: behind.url });
      }
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
      for (const path of ["/metrics", "/", "/v1/../metrics", "/v1/%2e%2e/metrics", "/docs.json"])
        expect(await errorOf(await get(at, path))).toEqual([404, "not_found"]);
      expect(behind.seen).toEqual([]);
      for (const path of ["/openapi.json", "/docs", "/docs/start.js"])
        expect((await fetch(at.url + path)).status).toBe(200);
      expect((await fetch(`${at.url}/health`)).status).toBe(200);
    });
  });
}
