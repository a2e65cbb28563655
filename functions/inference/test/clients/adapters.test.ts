/** Adapters beside a model, as the `openai` package finds and asks them on a real server. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { createEngine, openModel } from "tinygptv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addRandomAdapter } from "../../../../test/support/randomAdapter.ts";
import { nanoPath } from "../nano.ts";
import { testServer } from "../testServer.ts";
import type { TestServer } from "../testServer.ts";
import { dog, expected, picture, question } from "./nanoServer.ts";

let folder: string;
let model: string;
let engine: ReturnType<typeof createEngine>;
let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv-adapters-"));
  model = join(folder, "nano");
  await cp(nanoPath("converted"), model, { recursive: true });
  await rm(join(model, "adapters"), { recursive: true, force: true });
  await addRandomAdapter(model, "first", { seed: 1, mapping: true });
  engine = createEngine({ models: [model] });
  server = await testServer(engine);
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await engine.close();
  await rm(folder, { recursive: true });
});

const ask = (name: string) =>
  client.chat.completions.create({
    model: name,
    max_tokens: 12,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: question },
          { type: "image_url", image_url: { url: picture } },
        ],
      },
    ],
  });
/** What the model answers in this process. */
async function answerHere(adapter: string): Promise<string> {
  const here = await openModel(model, { level: "int8", adapter });
  try {
    return (await here.answer(question, dog, { decoding: { maxNewTokens: 12 } })).text;
  } finally {
    await here.close();
  }
}
const ids = async () => (await client.models.list()).data.map(({ id }) => id);

test("are listed with the level they are beside", async () => {
  expect(await ids()).toEqual(
    ["", "+first"].flatMap((adapter) =>
      ["fp32", "int8", "int4"].map((level) => `nano:${level}${adapter}`),
    ),
  );
  expect(await client.models.retrieve("nano:int8")).toMatchObject({ root: "nano", parent: null });
  expect(await client.models.retrieve("nano:int8+first")).toMatchObject({
    id: "nano:int8+first",
    object: "model",
    root: "adapters/first",
    parent: "nano:int8",
    name: "nano",
    level: "int8",
  });
});

test("answer where they are named, and the model answers as before", async () => {
  const [plain, adapted, again] = await Promise.all(
    ["nano:int8", "nano:int8+first", "nano:int8"].map((name) => ask(name)),
  );
  expect(adapted!.model).toBe("nano:int8+first");
  expect(adapted!.choices[0]!.message.content).toBe(await answerHere("first"));
  for (const one of [plain!, again!]) expect(one.choices[0]!.message.content).toBe(expected);
});

test("are there as soon as they lie in the model's folder, while the server runs", async () => {
  const late = ask("nano:int8+late");
  await expect(late).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  await expect(late).rejects.toThrow(/want one of nano:fp32, .*nano:int8\+first.*, got/);
  await addRandomAdapter(model, "late", { seed: 5 });
  expect((await ask("nano:int8+late")).choices[0]!.message.content).toBe(await answerHere("late"));
  expect(await ids()).toContain("nano:int4+late");
});
