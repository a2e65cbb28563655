/** What is seen before any script, style sheet or font of the page has come. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import { expectReady, expectSeen, screens } from "./playground.ts";

const playground = hostPlayground();

/** Opens an address and holds back every other file until `release`. */
async function openHeld(page: Page, path: string): Promise<{ release: () => void }> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/*", async (route) => {
    if (!route.request().isNavigationRequest()) await released;
    await route.continue();
  });
  await page.goto(playground.server.url + path, { waitUntil: "commit" });
  return { release };
}

/** Where the parts of the page's frame that are seen are, to the pixel. */
const frame = (page: Page) =>
  page.evaluate(() =>
    Object.fromEntries(
      ["header.top", "nav", "main", "[aria-label='More for this notebook']"].map((selector) => {
        const { x, y, width } = document.querySelector(selector)?.getClientRects()[0] ?? {};
        return [selector, [x, y, width]];
      }),
    ),
  );

describe.each(screens)("on a $name", ({ name, size }) => {
  it.each(["/", "/compare", "/s/any"])("%s has its frame, which then stays", async (path) => {
    const page = await playground.open({ size, expected: /status of 404/ });
    const { release } = await openHeld(page, path);
    await expectSeen(page.getByTitle("Run all cells"));
    const list = page.getByRole("navigation", { name: "Notebooks" });
    expect(await list.isVisible()).toBe(name === "desktop");
    // Nobody knows yet.
    expect(await page.getByText("None yet").isVisible()).toBe(false);
    const before = await frame(page);
    expect(before["main"][0]).toBeGreaterThan(name === "desktop" ? 100 : -1);
    release();
    if (path === "/s/any") await expectSeen(page.getByRole("region", { name: "Notices" }));
    else await expectReady(page);
    expect(await frame(page)).toEqual(before);
  });

  it.each(["light", "dark"] as const)("is in %s colours where the machine is", async (scheme) => {
    const page = await playground.open({ size });
    await page.emulateMedia({ colorScheme: scheme });
    const { release } = await openHeld(page, "/");
    await expectSeen(page.getByTitle("Run all cells"));
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(paper).toBe(scheme === "dark" ? "rgb(19, 21, 23)" : "rgb(248, 247, 244)");
    release();
  });
});
