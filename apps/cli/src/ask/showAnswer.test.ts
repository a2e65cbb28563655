import { stripVTControlCharacters } from "node:util";
import type { EndEvent, GenerateEvent } from "@tinygptv/protocol";
import { expect, it } from "vitest";
import { showAnswer } from "./showAnswer.ts";

function endOf(...texts: string[]): EndEvent {
  return {
    type: "end",
    hypotheses: texts.map((text, i) => ({
      text,
      tokens: [],
      boxes: [],
      finishReason: "stop",
      score: -i,
    })),
    usage: { promptTokens: 53, imageTokens: 32, completionTokens: 10, cachedTokens: 0 },
    timings: { queue: 0, image: 100, prefill: 50, decode: 200, total: 350 },
  };
}

/** What both streams of one terminal get, in order. */
async function shown(isTTY: boolean, ...events: GenerateEvent[]) {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const stream = (async function* () {
    const start: GenerateEvent = { type: "start", model: "m:a", promptText: "", images: [] };
    yield* [start, ...events];
  })();
  const terminal = { isTTY, write, columns: 20 };
  await showAnswer(stream, { stdout: terminal, stderr: terminal });
  return written;
}

it("leaves a streamed answer on the terminal", async () => {
  const written = await shown(
    true,
    { type: "delta", text: "an " },
    { type: "delta", text: "apple" },
    endOf("an apple"),
  );
  const text = stripVTControlCharacters(written.join(""));
  expect(text).toBe(
    "an apple\n0.35 s · picture 0.10 s · prompt 0.05 s (53 tokens) · answer 0.20 s (10 tokens, 50 a second)\n",
  );
  expect(written.join("")).not.toContain("\u001b[K"); // clear to the end of the line
});

it("shows the best beam so far on one line of a terminal, then the answers", async () => {
  const beams = (text: string): GenerateEvent => ({
    type: "beams",
    hypotheses: [{ text, score: 0 }],
  });
  const written = await shown(
    true,
    beams("a"),
    beams(`${"a\n".repeat(20)}pear`),
    endOf("an apple", "a pear"),
  );
  const previews = written.filter((text) => text.startsWith("\r\u001b[K"));
  const lines = previews.map((text) => stripVTControlCharacters(text).slice(1));
  expect(lines).toEqual(["a", " a a a a a a a pear", ""]);
  expect(written.at(-2)).toBe("0.000\tan apple\n-1.000\ta pear\n");
});

it("shows no beams where there is no terminal", async () => {
  const beams: GenerateEvent = { type: "beams", hypotheses: [{ text: "a", score: 0 }] };
  const [answer, timings, ...more] = await shown(false, beams, endOf("an apple"));
  expect(answer).toBe("an apple\n");
  expect(timings).toContain("picture");
  expect(more).toEqual([]);
});
