import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

/** One module with everything it imports; Node's own modules stay imports, which no browser can do. */
async function bundle(module: string): Promise<string> {
  const input = fileURLToPath(import.meta.resolve(module));
  const { output } = await (await rolldown({ input, platform: "browser" })).generate();
  return output[0].code;
}

test.each(["@tinygptv/protocol", "@tinygptv/protocol/http", "@tinygptv/notebook"])(
  "%s is the same in a browser as in Node",
  async (module) => {
    const page = await browser.newPage();
    const url = `data:text/javascript,${encodeURIComponent(await bundle(module))}`;
    // A text, since vitest rewrites imports in functions.
    const exported = await page.evaluate(`import(${JSON.stringify(url)}).then(Object.keys)`);
    expect(exported).toEqual(Object.keys(await import(module)).toSorted());
    await page.close();
  },
);
