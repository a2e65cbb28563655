/** The endpoint over the real engine: right answers, under load, and when the engine is killed. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "@tinygptv/protocol";
import type {
  ChatChunk,
  ChatResponse,
  ImageObject,
  PreprocessResponse,
  ScoreHttpResponse,
} from "@tinygptv/protocol/http";
import { dataUrl } from "../src/testing/pictures.ts";
import { createNanoEngine, enginePid, nanoPath } from "./nano.ts";
import { testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

interface Example {
  image: string;
  prompts: { prompt: string; answer: string }[];
}
const examples: Example[] = JSON.parse(await readFile(nanoPath("gallery/examples.json"), "utf8"));
const questions = examples.flatMap(({ image, prompts }) =>
  prompts.map((one) => ({ image, ...one })),
);

let engine: Engine;
let server: TestServer;
beforeAll(async () => {
  engine = createNanoEngine();
  server = await testServer(engine, { config: { limits: { concurrencyPerKey: 1000 } } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await engine.close();
});

const read = async (image: string) => readFile(nanoPath(`gallery/${image}`));

function post(path: string, body: object): Promise<Response> {
  return fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

const messages = (url: string, text: string) => [
  {
    role: "user",
    content: [
      { type: "image_url", image_url: { url } },
      { type: "text", text },
    ],
  },
];

async function postJson<T>(path: string, body: object): Promise<T> {
  return (await post(path, body)).json() as Promise<T>;
}

/** The text of a streamed answer; undefined where the server asked to come back later. */
async function streamed(body: object): Promise<string | undefined> {
  const response = await post("/v1/chat/completions", { ...body, stream: true });
  const text = await response.text();
  if (response.status === 503 && response.headers.has("retry-after")) return undefined;
  expect([response.status, text.includes("data: [DONE]")]).toEqual([200, true]);
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)) as ChatChunk)
    .map(({ choices }) => choices[0]?.delta.content ?? "")
    .join("");
}

test.each(questions.filter((_, i) => i % 6 === 0))(
  "$image: $prompt",
  async ({ image, prompt, answer }) => {
    const body = {
      messages: messages(dataUrl(await read(image)), prompt),
      image_mode: "reference",
    };
    const { choices } = await postJson<ChatResponse>("/v1/chat/completions", body);
    expect(choices[0]!.message.content).toBe(answer);
    expect(await streamed(body)).toBe(answer);
  },
);

test("boxes come in pixels of the picture sent", async () => {
  const { choices } = await postJson<ChatResponse>("/v1/chat/completions", {
    messages: messages(
      dataUrl(await read("dog.png")),
      "describe this image as detailed as possible",
    ),
    task: "grounding",
  });
  const [box] = choices[0]!.boxes;
  expect(box!.phrase).toContain("dog");
  expect(box!.pixels).toEqual(box!.percent.map((percent) => (percent / 100) * 448));
});

test("an uploaded picture is encoded once", async () => {
  const upload = await fetch(`${server.url}/v1/images`, {
    method: "POST",
    headers: { "content-type": "image/png" },
    body: await read("lion.png"),
  });
  const { id } = (await upload.json()) as ImageObject;
  const ask = async (text: string) =>
    (await postJson<ChatResponse>("/v1/chat/completions", { messages: messages(id, text) })).usage
      .images;
  expect(await ask("What do you see?")).toMatchObject([{ id, cached: false }]);
  expect(await ask("What is this?")).toMatchObject([{ id, cached: true }]);
});

test("scores prefer what is in the picture, with alternatives at every token", async () => {
  const { candidates, ranks } = await postJson<ScoreHttpResponse>("/v1/score", {
    messages: messages(dataUrl(await read("dog.png")), "What do you see?"),
    candidates: ["I see an apple on a red background.", "I see a dog on a green background."],
    top_logprobs: 3,
  });
  expect(ranks).toEqual([1, 0]);
  for (const { tokens, mean_logprob, sum_logprob } of candidates) {
    expect(sum_logprob / tokens.length).toBeCloseTo(mean_logprob);
    expect(tokens.every(({ top_logprobs }) => top_logprobs.length === 3)).toBe(true);
  }
});

test("an answer can be continued from any of its tokens", async () => {
  const body = {
    messages: messages(dataUrl(await read("dog.png")), "What do you see?"),
    logprobs: true,
    top_logprobs: 5,
  };
  const { choices } = await postJson<ChatResponse>("/v1/chat/completions", body);
  const tokens = choices[0]!.logprobs!.content;
  const other = tokens[3]!.top_logprobs[1]!;
  const prefix = [...tokens.slice(0, 3).map(({ id }) => id), other.id];
  const branch = await postJson<ChatResponse>("/v1/chat/completions", {
    ...body,
    answer_prefix: prefix,
  });
  expect(branch.choices[0]!.logprobs!.content.slice(0, 4).map(({ id }) => id)).toEqual(prefix);
});

test("shows what the model sees", async () => {
  const seen = await postJson<PreprocessResponse>("/v1/preprocess", {
    image: dataUrl(await read("dog.png")),
  });
  expect(seen).toMatchObject({ width: 448, height: 448, size: 140 });
  expect(seen.tensor_sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Buffer.from(seen.preview.split(",")[1]!, "base64").subarray(1, 4).toString()).toBe("PNG");
});

describe("under load", () => {
  test("200 clients at once get the answer they would get alone, or are told to come back", async () => {
    const asked = await Promise.all(
      questions.slice(0, 10).map(async ({ image, prompt }) => ({
        messages: messages(dataUrl(await read(image)), prompt),
        max_tokens: 12,
      })),
    );
    const alone: string[] = [];
    for (const body of asked) alone.push((await streamed(body))!);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => streamed(asked[i % asked.length]!)),
    );
    const given = answers.filter((answer) => answer !== undefined);
    expect(answers.map((answer, i) => answer ?? alone[i % asked.length])).toEqual(
      answers.map((_, i) => alone[i % asked.length]),
    );
    expect(given.length).toBeGreaterThanOrEqual(72);
    expect(engine.status()).toMatchObject({ running: 0, queued: 0 });
  });
});

describe("when the engine is killed", () => {
  test("what runs gets a 503, ready goes down and up, and later requests are answered", async () => {
    const body = { messages: messages(dataUrl(await read("dog.png")), "What do you see?") };
    const before = await streamed(body);
    const ready = async () => (await fetch(`${server.url}/ready`)).status;
    expect(await ready()).toBe(200);

    const inFlight = Array.from({ length: 20 }, () =>
      post("/v1/chat/completions", { ...body, num_beams: 8 }),
    );
    await expect.poll(() => engine.status().running, { interval: 1 }).toBeGreaterThan(0);
    process.kill(await enginePid(), "SIGKILL");
    await expect.poll(ready, { interval: 1 }).toBe(503);

    const outcomes = await Promise.all(
      inFlight.map(async (pending) => {
        const response = await pending;
        const { error } = (await response.json()) as { error?: { code: string } };
        return `${response.status} ${error?.code ?? "answered"}`;
      }),
    );
    expect(outcomes).toContain("503 engine_failed");
    expect(outcomes.filter((one) => !["503 engine_failed", "200 answered"].includes(one))).toEqual(
      [],
    );
    await expect.poll(ready, { timeout: 20_000 }).toBe(200);
    expect(await streamed(body)).toBe(before);
  });
});
