import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { findBrowser } from "../../scripts/browser.ts";

/** A Chromium without a window, as `npm test` finds it. Its camera shows a test picture. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath)
    throw new Error("no Chromium found: run `npm test`, which says how to get one");
  return chromium.launch({
    executablePath,
    args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    // Chromium refuses to sandbox for root, which containers are.
    chromiumSandbox: process.getuid?.() !== 0,
  });
}
