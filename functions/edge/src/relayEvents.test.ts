import { expect, it } from "vitest";
import { relayEvents } from "./relayEvents.ts";

function origin() {
  const cancelled: unknown[] = [];
  let asked = 0;
  const events = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        asked += 1;
        controller.enqueue(new TextEncoder().encode(`data: ${asked}\n\n`));
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { events, cancelled, asked: () => asked };
}

it("asks the origin for no more than the client takes, and ends it when the client leaves", async () => {
  const { events, cancelled, asked } = origin();
  const outcomes: string[] = [];
  const hooks = { onChunk: () => {}, onEnd: (outcome: string) => outcomes.push(outcome) };
  const reader = relayEvents(events, hooks).getReader();
  await reader.read();
  const second = await reader.read();
  expect([new TextDecoder().decode(second.value), asked()]).toEqual(["data: 2\n\n", 2]);
  await reader.cancel("left");
  expect([cancelled, outcomes]).toEqual([["left"], ["cancelled"]]);
});
