import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { findBrowser } from "../../scripts/browser.ts";

/** A Chromium without a window, as `npm test` finds it. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath)
    throw new Error("no Chromium found: run `npm test`, which says how to get one");
  return chromium.launch({
    executablePath,
    // Chromium refuses to sandbox for root, which containers are.
    chromiumSandbox: process.getuid?.() !== 0,
  });
}
