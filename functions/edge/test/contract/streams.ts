/** How answers that come bit by bit pass through. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sendEvent, startEvents } from "../origin.ts";
import { greedy, post, type Bench } from "./bench.ts";

export function streamContract({ origin, edge }: Bench, noticesLeaving: boolean): void {
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
      const response = await post(await edge([behind]), streamed, { signal: abort.signal });
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
      const response = post(await edge([behind]), body, { signal: abort.signal });
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
}
