import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { findBrowser } from "../../scripts/browser.ts";

/** A name of this machine to which browsers give no more rights than to any other over plain http. */
export const plainName = "playground.test";

/** WebGPU by software that comes with Chromium: it shows what is right, never what is fast. */
export const softwareGpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan,WebGPU",
  "--use-vulkan=swiftshader",
  "--use-angle=swiftshader",
  "--ignore-gpu-blocklist",
];

/** A Chromium without a window, as `npm test` finds it. Its camera shows a test picture. @param flags beside those */
export function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath)
    throw new Error("no Chromium found: run `npm test`, which says how to get one");
  return chromium.launch({
    executablePath,
    args: [
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--host-resolver-rules=MAP ${plainName} 127.0.0.1`,
      ...flags,
    ],
    // Chromium refuses to sandbox for root, which containers are.
    chromiumSandbox: process.getuid?.() !== 0,
  });
}
