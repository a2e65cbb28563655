import { expect, it } from "vitest";

import { TinyGptvError } from "@tinygptv/protocol";
import type { GenerateEvent } from "@tinygptv/protocol";
import { createEventQueue } from "./eventQueue.ts";

const token = (id: number): GenerateEvent => ({ type: "token", token: { id, text: "" } });
const delta = (text: string): GenerateEvent => ({ type: "delta", text });
const beams = (text: string): GenerateEvent => ({
  type: "beams",
  hypotheses: [{ text, score: 0 }],
});

it("hands over every event to a reader that keeps up", async () => {
  const queue = createEventQueue();
  const events = queue[Symbol.asyncIterator]();
  for (const event of [token(1), delta("a"), token(2), delta("b")]) {
    const next = events.next();
    queue.push(event);
    expect(await next).toEqual({ done: false, value: event });
  }
  queue.end();
  expect(await events.next()).toMatchObject({ done: true });
});

it("keeps of what is not read the tokens, the sum of the deltas and the latest beams", async () => {
  const queue = createEventQueue();
  for (const event of [token(1), delta("a"), beams("x"), token(2), delta("b"), beams("y")]) {
    queue.push(event);
  }
  queue.end();
  const events: GenerateEvent[] = [];
  for await (const event of queue) events.push(event);
  expect(events).toEqual([token(1), token(2), delta("ab"), beams("y")]);
});

it("tells of a failure at once", async () => {
  const queue = createEventQueue();
  const events = queue[Symbol.asyncIterator]();
  queue.push(delta("a"));
  queue.fail(new TinyGptvError("engine", "gone"));
  queue.push(delta("b"));
  await expect(events.next()).rejects.toMatchObject({ code: "engine" });
});
