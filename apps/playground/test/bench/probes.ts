/** What a page says about its own smoothness. */
import type { CDPSession, Page } from "playwright-core";
import { median } from "../../../../test/bench/statistics.ts";

export interface Frames {
  /** Milliseconds from one frame to the next. */
  median: number;
  longest: number;
  /** How many took more than 50 ms. */
  slow: number;
  count: number;
}

interface Probed {
  frameTimes?: number[];
}

/** The frames a page draws while `work` goes on. */
export async function framesWhile(page: Page, work: () => Promise<void>): Promise<Frames> {
  await page.evaluate(() => {
    const times: number[] = [];
    const probed = globalThis as Probed;
    probed.frameTimes = times;
    const note = (now: number): void => {
      times.push(now);
      if (probed.frameTimes === times) requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
  });
  await work();
  const times = await page.evaluate(() => {
    const probed = globalThis as Probed;
    const taken = probed.frameTimes ?? [];
    delete probed.frameTimes;
    return taken;
  });
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  return {
    median: median(gaps),
    longest: Math.max(...gaps),
    slow: gaps.filter((gap) => gap > 50).length,
    count: gaps.length,
  };
}

/** Milliseconds from each of `count` key presses to the frame that shows it. */
export async function typingLatency(page: Page, count: number): Promise<number[]> {
  const latencies = await page.evaluateHandle(() => {
    const found: number[] = [];
    const note = ({ timeStamp }: KeyboardEvent): void =>
      void requestAnimationFrame(() =>
        setTimeout(() => found.push(performance.now() - timeStamp), 0),
      );
    document.addEventListener("keydown", note, { capture: true });
    return found;
  });
  for (let i = 0; i < count; i++) {
    await page.keyboard.press("a");
    await page.waitForTimeout(60);
  }
  return latencies.jsonValue();
}

/** Bytes of JavaScript objects in use after a collection. */
export async function heapBytes(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

/** Milliseconds from navigation to the first paint with content. */
export const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
  );
