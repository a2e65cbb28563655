import { expect, test } from "vitest";
import { compareEventSchema } from "@tinygptv/protocol/http";
import type { CompareEvent } from "@tinygptv/protocol/http";
import { createFakeEngine } from "../testing/fakeEngine.ts";
import { readEvents, testApp } from "../testing/testApp.ts";

const messages = [{ role: "user", content: "hi" }];

async function compare(body: object, app = testApp()): Promise<CompareEvent[]> {
  const response = await app.post("/v1/compare", body);
  expect(response.status).toBe(200);
  const events = await readEvents(response);
  expect(events.pop()).toEqual({ event: undefined, data: "[DONE]" });
  return events.map(({ event, data }) => {
    const parsed = compareEventSchema.parse(JSON.parse(data));
    expect(event).toBe(parsed.type);
    return parsed;
  });
}

test("every model answers under every parameter set, each event tagged", async () => {
  const engine = createFakeEngine({ answer: (_, __, model) => model });
  const events = await compare(
    { models: ["fake:int8", "fake"], messages, parameter_sets: [{}, { temperature: 1, seed: 3 }] },
    testApp({ engine }),
  );
  const texts = [0, 1, 2, 3].map((run) =>
    events
      .flatMap((event) => (event.run === run && event.type === "delta" ? [event.text] : []))
      .join(""),
  );
  expect(texts).toEqual(["fake:int8", "fake:fp32", "fake:int8 seed 3", "fake:fp32 seed 3"]);
  const ends = events.flatMap((event) => (event.type === "end" ? [event] : []));
  expect(
    ends.map(({ run, model, parameter_set }) => [run, model, parameter_set]).toSorted(),
  ).toEqual([
    [0, "fake:int8", 0],
    [1, "fake:fp32", 0],
    [2, "fake:int8", 1],
    [3, "fake:fp32", 1],
  ]);
  expect(ends.find(({ run }) => run === 3)).toMatchObject({
    text: texts[3],
    seed: 3,
    logprobs: null,
  });
});

test("answers interleave", async () => {
  const engine = createFakeEngine({ tokenMs: 1 });
  const events = await compare(
    { models: ["fake:fp32", "fake:int4"], messages },
    testApp({ engine }),
  );
  const firstEnd = events.findIndex(({ type }) => type === "end");
  expect(new Set(events.slice(0, firstEnd).map(({ run }) => run))).toEqual(new Set([0, 1]));
});

test("log-probabilities come with the text and as a whole", async () => {
  const events = await compare({
    models: ["fake"],
    messages,
    parameter_sets: [{ logprobs: true }],
  });
  const inParts = events.flatMap((event) => (event.type === "delta" ? event.logprobs! : []));
  const end = events.at(-1);
  expect(end?.type === "end" && end.logprobs).toEqual(inParts);
  expect(inParts).toHaveLength(6);
});

test("beam searches give all their hypotheses", async () => {
  const events = await compare({ models: ["fake"], messages, parameter_sets: [{ num_beams: 3 }] });
  expect(events.filter(({ type }) => type === "beams")).toHaveLength(3);
  const end = events.at(-1);
  expect(end?.type === "end" && end.hypotheses?.map(({ score }) => score)).toEqual([-1, -2, -3]);
});

test("an error ends its own answer only", async () => {
  const engine = createFakeEngine({ places: 1, queueLimit: 1, tokenMs: 1 });
  const events = await compare(
    { models: ["fake:fp32", "fake:int8", "fake:int4"], messages },
    testApp({ engine }),
  );
  const outcomes = events.flatMap((event) => {
    if (event.type === "error") return [[event.run, event.error.code]];
    return event.type === "end" ? [[event.run, event.text]] : [];
  });
  expect(outcomes.toSorted()).toEqual([
    [0, "hi [0]"],
    [1, "hi [0]"],
    [2, "queue_full"],
  ]);
});

test("at most so many answers run at a time", async () => {
  const engine = createFakeEngine({ tokenMs: 1, queueLimit: 0, places: 2 });
  const sets = Array.from({ length: 6 }, (_, seed) => ({ temperature: 1, seed }));
  const events = await compare(
    { models: ["fake"], messages, parameter_sets: sets },
    testApp({ engine, config: { limits: { compareConcurrency: 2 } } }),
  );
  expect(events.filter(({ type }) => type === "end")).toHaveLength(6);
});

test.each([
  [{ models: ["fake", "other"], messages }, 404, "model_not_found", "models[1]"],
  [{ models: [], messages }, 400, "invalid_value", "models"],
  [
    { models: ["fake"], messages, parameter_sets: [{ top_logprobs: 2 }] },
    400,
    "invalid_value",
    "parameter_sets[0].top_logprobs",
  ],
  [
    {
      models: Array(16).fill("fake"),
      messages,
      parameter_sets: Array.from({ length: 5 }, () => ({})),
    },
    400,
    "invalid_value",
    "models",
  ],
  [{ models: ["fake"], messages, stream: true }, 400, "unknown_parameter", "stream"],
])("refuses %j", async (body, status, code, param) => {
  const response = await testApp().post("/v1/compare", body);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code, param } });
});
