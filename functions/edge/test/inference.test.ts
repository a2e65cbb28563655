/** The edge function before real inference functions, asked by the client people use. */
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createFakeEngine, type FakeEngine } from "../../inference/src/testing/fakeEngine.ts";
import { dataUrl, redPixel } from "../../inference/src/testing/pictures.ts";
import { memoryStore } from "../../inference/src/store/index.ts";
import { testServer, type TestServer } from "../../inference/test/testServer.ts";
import { workerd, type RunningEdge } from "./runtimes.ts";

const key = "key-of-anna-0123456789";
const originKey = "key-of-the-origin";
const ask = (content: string) => ({
  model: "fake",
  messages: [{ role: "user" as const, content }],
});

describe("an edge function before two inference functions", () => {
  let engines: FakeEngine[];
  let servers: TestServer[];
  let edge: RunningEdge;
  let openai: OpenAI;
  beforeAll(async () => {
    engines = [createFakeEngine({ tokenMs: 5 }), createFakeEngine({ tokenMs: 5 })];
    // Pictures are uploaded to one and asked about at the other: they share a store.
    const store = memoryStore({ maxBytes: 1e7 });
    const config = { keys: [originKey] };
    servers = await Promise.all(engines.map((engine) => testServer(engine, { store, config })));
    edge = await (
      await workerd()
    )({
      EDGE_KEYS: JSON.stringify([{ name: "anna", key }]),
      EDGE_ORIGINS: JSON.stringify(servers.map(({ url }) => ({ url, key: originKey }))),
    });
    openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
  });
  afterEach(() => engines.forEach((engine) => engine.recover()));
  afterAll(async () => {
    await edge.close();
    await Promise.all(servers.map((server) => server.close(0)));
  });
  const asked = () => engines.map(({ requests }) => requests.length);
  const running = () => engines.map((engine) => engine.status().running);

  it("streams an answer", async () => {
    let text = "";
    for await (const chunk of await openai.chat.completions.create({
      ...ask("Hello?"),
      stream: true,
    }))
      text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("Hello? [0]");
  });

  it("answers and streams as the Responses API does, and keeps an answer", async () => {
    const request = { model: "fake", input: "Hello there?" };
    const first = await openai.responses.create(request).withResponse();
    const again = await openai.responses.create(request).withResponse();
    expect(first.data.output_text).toBe("Hello there? [0]");
    expect(again.response.headers.get("x-cache")).toBe("hit");
    expect(again.data).toEqual(first.data);
    const streamed = await openai.responses.stream(request).finalResponse();
    expect(streamed.output_text).toBe("Hello there? [0]");
  });

  it("gives the same answer again without asking", async () => {
    const first = await openai.chat.completions.create(ask("Once?")).withResponse();
    const before = asked();
    const second = await openai.chat.completions.create(ask("Once?")).withResponse();
    expect([first, second].map(({ response }) => response.headers.get("x-cache"))).toEqual([
      "miss",
      "hit",
    ]);
    expect(second.data).toEqual(first.data);
    expect(asked()).toEqual(before);
  });

  it("keeps a picture for both, and lists the models of both once", async () => {
    const uploaded = await fetch(`${edge.url}/v1/images`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "image/png" },
      body: redPixel,
    });
    const { id } = (await uploaded.json()) as { id: string };
    for (const url of [id, id, dataUrl(redPixel), dataUrl(redPixel)]) {
      const { choices } = await openai.chat.completions.create({
        ...ask(""),
        messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
        temperature: 1, // sampled, so that it is asked each time
      });
      expect(choices[0]?.message.content).toContain("[1]");
    }
    expect(Math.min(...asked())).toBeGreaterThan(0);
    const { data } = await openai.models.list();
    expect(data.map((model) => model.id)).toEqual(["fake:fp32", "fake:int8", "fake:int4"]);
  });

  it("passes errors on as they are", async () => {
    await expect(
      openai.chat.completions.create({ ...ask("?"), temperature: 9 }),
    ).rejects.toMatchObject({
      status: 400,
      code: "invalid_value",
      param: "temperature",
    });
    await expect(
      openai.chat.completions.create({ ...ask("?"), model: "absent" }),
    ).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });

  it("ends an answer at the engine when the client leaves", async () => {
    const stream = await openai.chat.completions.create({ ...ask("x".repeat(2000)), stream: true });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    expect(running().toSorted()).toEqual([0, 1]);
    stream.controller.abort();
    await vi.waitFor(() => expect(running()).toEqual([0, 0]), { timeout: 5000, interval: 10 });
  });

  it("asks the other one when an engine has crashed", async () => {
    engines[0]!.crash();
    for (let count = 0; count < 3; count++) {
      const { choices } = await openai.chat.completions.create(ask(`Alive ${count}?`));
      expect(choices[0]?.message.content).toBe(`Alive ${count}? [0]`);
    }
  });

  it("says in OpenAI's way when both have", async () => {
    engines.forEach((engine) => engine.crash());
    await expect(openai.chat.completions.create(ask("Nobody?"))).rejects.toMatchObject({
      status: 503,
    });
  });
});
