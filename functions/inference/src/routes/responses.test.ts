import { expect, test } from "vitest";
import { createFakeEngine } from "../testing/fakeEngine.ts";
import { dataUrl, redPixel } from "../testing/pictures.ts";
import { readEvents, testApp } from "../testing/testApp.ts";

const path = "/v1/responses";

test("a failure in mid-stream is the last event, in its number", async () => {
  const engine = createFakeEngine({ tokenMs: 5 });
  const response = await testApp({ engine }).post(path, { input: "a long answer", stream: true });
  await expect.poll(() => engine.status().running).toBe(1);
  engine.crash();
  const events = await readEvents(response);
  const { event, data } = events.at(-1)!;
  expect(event).toBe("error");
  expect(JSON.parse(data)).toMatchObject({
    type: "error",
    code: "engine_failed",
    sequence_number: events.length - 1,
  });
});

test("what fails before the first event has a status of its own", async () => {
  const engine = createFakeEngine({ tokenMs: 100 });
  const pending = testApp({ engine }).post(path, { input: "x", stream: true });
  await expect.poll(() => engine.status().running, { interval: 1 }).toBe(1);
  engine.crash();
  expect((await pending).status).toBe(503);
});

test("the answer has what chat completions say beyond OpenAI's fields", async () => {
  const engine = createFakeEngine({ answer: () => "<p>dog</p> {<10><20><30><40>}" });
  const { post } = testApp({ engine });
  const url = dataUrl(redPixel);
  const input = [{ role: "user", content: [{ type: "input_image", image_url: url }] }];
  const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
  const { tinygptv } = JSON.parse(await (await post(path, { input })).text());
  const chat = JSON.parse(await (await post("/v1/chat/completions", { messages })).text());
  expect(tinygptv.boxes).toHaveLength(1);
  expect(tinygptv.boxes).toEqual(chat.choices[0].boxes);
  expect(tinygptv.prompt).toBe(chat.tinygptv.prompt);
});
