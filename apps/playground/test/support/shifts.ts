/** How much of what a person sees moves without their doing. */
import type { Page } from "playwright-core";

/** Not yet in TypeScript's types. */
interface LayoutShift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
}

interface Watched {
  layoutShift?: number;
}

/** Sums layout shifts from now on that no input of the last half second explains. */
export const watchShifts = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const watched = globalThis as Watched;
    watched.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as LayoutShift[])
        if (!entry.hadRecentInput) watched.layoutShift! += entry.value;
    }).observe({ type: "layout-shift" });
  });

/** Layout-shift score since it was last asked for: 0 where nothing moved, 1 where all that is seen moved by a whole screen. */
export const takeShifts = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const watched = globalThis as Watched;
    const score = watched.layoutShift ?? 0;
    watched.layoutShift = 0;
    return score;
  });
