import { expect, test } from "vitest";
import { startLifetime } from "./lifetime.ts";

const start = (caller = new AbortController(), ms = 10_000) =>
  startLifetime(() => caller.signal, ms);

/** Gives a chunk, then waits for the signal. */
async function* stalled(signal: AbortSignal) {
  yield new Uint8Array(1);
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

test("what is to be done at the end is done once, the last first, whenever it was registered", () => {
  const life = start();
  const done: string[] = [];
  life.atEnd(() => done.push("first"));
  life.atEnd(() => done.push("second"));
  life.end();
  life.end();
  life.atEnd(() => done.push("late"));
  expect(done).toEqual(["second", "first", "late"]);
});

test("the end stops what is left of the work", () => {
  const life = start();
  const { signal } = life;
  expect(signal.aborted).toBe(false);
  life.end();
  expect(signal.aborted).toBe(true);
});

test("a caller who goes away fires the signal", () => {
  const caller = new AbortController();
  const life = start(caller);
  const { signal } = life;
  caller.abort();
  expect(signal.aborted).toBe(true);
  expect(life.explain(new Error("x")).code).toBe("internal_error");
});

test("after the deadline whatever fails is told as late", async () => {
  const life = start(undefined, 10);
  await new Promise((resolve) => life.signal.addEventListener("abort", resolve));
  expect(life.explain(new Error("whatever"))).toMatchObject({ code: "generation_timeout" });
});

test("a stream is part of the request to its last byte", async () => {
  const life = start();
  let ended = false;
  life.atEnd(() => (ended = true));
  const stream = life.stream([Uint8Array.of(1), Uint8Array.of(2)].values() as never);
  const reader = stream.getReader();
  expect((await reader.read()).value).toEqual(Uint8Array.of(1));
  expect([ended, life.streaming]).toEqual([false, true]);
  await reader.read();
  expect((await reader.read()).done).toBe(true);
  expect([ended, life.streaming]).toEqual([true, false]);
});

test("nobody reading any more ends the request, even where its source waits", async () => {
  const life = start();
  const reader = life.stream(stalled(life.signal)).getReader();
  await reader.read();
  const pending = reader.read();
  await reader.cancel();
  expect((await pending).done).toBe(true);
  expect(life.signal.aborted).toBe(true);
});

test("a source that fails breaks the stream and ends the request", async () => {
  const life = start();
  const failing = (async function* () {
    yield new Uint8Array(1);
    throw new Error("the disk failed");
  })();
  const reader = life.stream(failing).getReader();
  await reader.read();
  await expect(reader.read()).rejects.toThrow("the disk failed");
  expect(life.signal.aborted).toBe(true);
});
