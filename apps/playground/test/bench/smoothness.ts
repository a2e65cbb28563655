/**
 * `pnpm --dir apps/playground bench`, after a build: how smooth the pages are
 * with 10,000 tokens and 500 cells, in a real Chromium before a real server
 * whose engine answers by rule. It measures and judges nothing; frames of an
 * idle page say what this machine can do.
 */
import type { Page } from "playwright-core";
import { describeMachine } from "../../../../test/bench/machine.ts";
import { median } from "../../../../test/bench/statistics.ts";
import { cell, openMarkdown, promptCells, startPlayground } from "../e2e/playground.ts";
import { fakeServer } from "../support/server.ts";
import { takeShifts, watchShifts } from "../support/shifts.ts";
import { firstPaint, framesWhile, heapBytes, typingLatency, type Frames } from "./probes.ts";

const longest = 4096;
const columns = 3;
/** As Chrome's developer tools have it: bytes a second, milliseconds. */
const slow4G = {
  offline: false,
  latency: 562.5,
  downloadThroughput: 180e3,
  uploadThroughput: 84375,
};
const perColumn = 3400;

const playground = await startPlayground(fakeServer);
try {
  report("first contentful paint, median of 5", `${median(await firstPaints(5)).toFixed(0)} ms`);
  const slow = await slowOpenings(3);
  const times = (of: "content" | "cells"): string =>
    slow.map((one) => `${(one[of] / 1000).toFixed(1)} s`).join(", ");
  report("first content, slow 4G, a quarter of the CPU", times("content"));
  report("first cells, slow 4G, a quarter of the CPU", times("cells"));
  const idle = await playground.open();
  reportFrames("idle page", await framesWhile(idle, () => idle.waitForTimeout(3000)));
  await idle.close();
  await measureAnswer();
  await measureComparison();
  await measureLongNotebook();
  const { processor, cores, load } = describeMachine(0);
  report("machine", `${processor}, ${cores} cores, load ${load.toFixed(1)}`);
} finally {
  await playground.close();
}

function report(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(40)} ${value}\n`);
}

function reportFrames(name: string, { median: middle, longest: most, slow, count }: Frames): void {
  report(
    name,
    `frames: median ${middle.toFixed(1)} ms, longest ${most.toFixed(0)} ms, ${slow} of ${count} over 50 ms`,
  );
}

async function firstPaints(count: number): Promise<number[]> {
  const found = [];
  for (let i = 0; i < count; i++) {
    const page = await playground.open();
    found.push(await firstPaint(page));
    await page.context().close();
  }
  return found;
}

/** Milliseconds until something is seen and until the first cell is there, for somebody whose browser has no file of the page. */
async function slowOpenings(count: number): Promise<{ content: number; cells: number }[]> {
  const found = [];
  for (let i = 0; i < count; i++) {
    const page = await playground.open();
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    await session.send("Network.emulateNetworkConditions", slow4G);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.goto("about:blank");
    const begun = performance.now();
    await page.goto(playground.server.url, { waitUntil: "commit" });
    await page.locator("article").first().waitFor();
    found.push({ cells: performance.now() - begun, content: await firstPaint(page) });
    await page.context().close();
  }
  return found;
}

/** By a plain selector: looking for roles among thousands of elements would be measured too. */
async function present(page: Page, selector: string): Promise<void> {
  const found = (wanted: string): boolean => document.querySelector(wanted) !== null;
  await page.waitForFunction(found, selector, { polling: 200, timeout: 300_000 });
}

async function start(page: Page): Promise<void> {
  await page.locator('[title="Run cell"]').first().click();
  await present(page, ".badge.busy");
}

async function run(page: Page): Promise<void> {
  await start(page);
  await present(page, ".badge.fresh");
}

/** One answer of the greatest length. */
async function measureAnswer(): Promise<void> {
  const page = await playground.open();
  const session = await page.context().newCDPSession(page);
  await openMarkdown(
    page,
    `# One\n\n\`\`\`prompt p1\ndecoding:\n  maxNewTokens: ${longest}\n---\n${longest} words\n\`\`\``,
  );
  await cell(page, "Prompt", "p1").waitFor();
  const before = await heapBytes(session);
  await watchShifts(page);
  reportFrames(`${longest} tokens stream`, await framesWhile(page, () => run(page)));
  report("  layout shift", (await takeShifts(page)).toFixed(4));
  report("  heap", megabytes((await heapBytes(session)) - before));
  const opened = await framesWhile(page, async () => {
    await page.getByRole("button", { name: "Tokens", exact: true }).click();
    await present(page, ".token");
    await page.waitForTimeout(1000);
  });
  reportFrames(`${longest} tokens, view opened`, opened);
  report("  tokens mounted", String(await page.locator(".token").count()));
  report("  heap", megabytes((await heapBytes(session)) - before));
  const streaming = await framesWhile(page, async () => {
    await start(page);
    await present(page, '[aria-busy="true"]');
    await page.evaluate(() =>
      document.querySelector<HTMLElement>('.views [aria-expanded="false"]')?.click(),
    );
    await present(page, ".badge.fresh");
  });
  reportFrames(`${longest} tokens stream, view open`, streaming);
  report("  layout shift", (await takeShifts(page)).toFixed(4));
  await page.context().close();
}

/** Three answers at once, 10,200 tokens. */
async function measureComparison(): Promise<void> {
  const page = await playground.open();
  const session = await page.context().newCDPSession(page);
  const names = Array.from({ length: columns }, (_, i) => `  - label: column ${i + 1}`).join("\n");
  await openMarkdown(
    page,
    `# Three\n\n\`\`\`compare c1\ntogether: true\ndecoding:\n  maxNewTokens: ${perColumn}\ncolumns:\n${names}\n---\n${perColumn} words\n\`\`\``,
  );
  await cell(page, "Compare", "c1").waitFor();
  const before = await heapBytes(session);
  const tokens = `${columns} x ${perColumn} tokens`;
  reportFrames(`${tokens} stream`, await framesWhile(page, () => run(page)));
  report("  heap", megabytes((await heapBytes(session)) - before));
  const opened = await framesWhile(page, async () => {
    await page.getByText("show tokens and where they part").click();
    await present(page, ".token");
    await page.waitForTimeout(1000);
  });
  reportFrames(`${tokens}, view opened`, opened);
  report("  tokens mounted", String(await page.locator(".token").count()));
  reportFrames(`${tokens} stream, view open`, await framesWhile(page, () => run(page)));
  await page.context().close();
}

/** 500 cells with outputs; the first is typed into, beside a comparison. */
async function measureLongNotebook(): Promise<void> {
  const page = await playground.open();
  const session = await page.context().newCDPSession(page);
  const comparison = "```compare c1\ncolumns:\n  - label: one\n---\n20 words\n```";
  const prompts = promptCells(500, (i) => `20 words about ${i}`);
  await openMarkdown(page, `# Long\n\n${comparison}\n\n${prompts}`);
  await cell(page, "Prompt", "p1").waitFor();
  const before = await heapBytes(session);
  const running = await framesWhile(page, async () => {
    await page.getByTitle("Run all cells").click();
    await present(page, ".badge.busy");
    await present(page, '[title="Run all cells"]');
  });
  reportFrames("500 cells run", running);
  report("  heap", megabytes((await heapBytes(session)) - before));
  const scrolling = await framesWhile(page, async () => {
    for (let i = 0; i < 150; i++) {
      await page.mouse.wheel(0, 800);
      await page.waitForTimeout(30);
    }
  });
  reportFrames("500 cells scrolled", scrolling);
  await page.evaluate(() => scrollTo(0, 0));
  await cell(page, "Prompt", "p1").getByLabel("Question").click();
  const latencies = await typingLatency(page, 60);
  report(
    "500 cells, key to frame",
    `median ${median(latencies).toFixed(1)} ms, longest ${Math.max(...latencies).toFixed(0)} ms`,
  );
  await page.context().close();
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
