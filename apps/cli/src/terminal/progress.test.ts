import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { createProgress } from "./progress.ts";

function fakeTerminal(isTTY: boolean, show?: (amount: number) => string) {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  let time = 0;
  return {
    written,
    wait: (ms: number) => (time += ms),
    progress: createProgress(show, { isTTY, write }, () => time),
  };
}

it("shows how much is done and how long the rest takes", () => {
  const { written, wait, progress } = fakeTerminal(true);
  progress.update("writing phi", 0, 8_000_000);
  wait(50);
  progress.update("writing phi", 1_000_000, 8_000_000); // too soon to be drawn
  wait(1950);
  progress.update("writing phi", 2_000_000, 8_000_000);
  const lines = written.map((text) => stripVTControlCharacters(text).replace(/[\r━]/g, "").trim());
  expect(lines).toEqual([
    "writing phi 0 B of 8.00 MB",
    "writing phi 2.00 MB of 8.00 MB, 6.00 s left",
  ]);
});

it("counts the rate of a resumed download from where it was resumed", () => {
  const { written, wait, progress } = fakeTerminal(true);
  progress.update("file", 6_000_000, 10_000_000);
  wait(2000);
  progress.update("file", 8_000_000, 10_000_000);
  expect(written.at(-1)).toContain("2.00 s left");
});

it("counts what it is told to count", () => {
  const { written, progress } = fakeTerminal(true, String);
  progress.update("answers", 3, 600);
  expect(written.at(-1)).toContain("3 of 600");
});

it("takes the bar away", () => {
  const { written, progress } = fakeTerminal(true);
  progress.clear();
  expect(written).toEqual([]);
  progress.update("file", 1, 2);
  progress.clear();
  expect(written.at(-1)).toBe("\r\u001b[K");
});

it("writes nothing where there is no terminal", () => {
  const { written, progress } = fakeTerminal(false);
  progress.update("file", 1, 2);
  progress.clear();
  expect(written).toEqual([]);
});
