import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import { cell, openExample, runCell, expectGone, expectSeen, screens } from "./playground.ts";
import { violations } from "./violations.ts";

const playground = hostPlayground();

/** Parts over a page that was tried without them: all that is new in it. */
const dialog = "[role=dialog]";
const menu = "[role=menu]";

/**
 * In light and in dark colours: keeps a picture of the page, and axe finds nothing in it.
 * @param part of the page that axe looks at, a selector; all of it where left out
 */
async function expectSound(page: Page, name?: string, part = "html"): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const dark = colorScheme === "dark";
    await page.waitForFunction((is) => document.documentElement.matches(".dark") === is, dark);
    if (name !== undefined) await playground.screenshot(page, dark ? `${name}-dark` : name);
    // The same page in other colours: only what depends on them can be another.
    expect(await violations(page, part, dark ? ["color-contrast"] : undefined)).toEqual([]);
  }
}

/** Not held against `innerWidth`: on a phone that grows with the page. */
const pageWidth = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth);

describe.each(screens)("on a $name", ({ name, size }) => {
  it("axe finds nothing in an answer looked into, and nothing is wider than the screen", async () => {
    const page = await playground.open({ size });
    await expectSound(page, `${name}-first-run`);
    const place = cell(page, "Prompt", "place");
    await runCell(place);
    await place.getByRole("button", { name: "Tokens" }).click();
    await place.locator(".token").first().scrollIntoViewIfNeeded();
    for (const label of ["More for this cell", "More for this notebook"]) {
      const opener = page.getByRole("button", { name: label });
      await (label.includes("cell") ? place.getByRole("button", { name: label }) : opener).click();
      await expectSeen(page.getByRole("menu"));
      await expectSound(page, undefined, menu);
      await page.keyboard.press("Escape");
      await expectGone(page.getByRole("menu"));
    }
    await place.locator("header .kind").click();
    await place.locator(".token").first().scrollIntoViewIfNeeded();
    await expectSound(page, `${name}-answer`);
    expect(await pageWidth(page)).toBeLessThanOrEqual(size.width);
  });

  it("axe finds nothing in tokens under several levels, and nothing is wider than the screen", async () => {
    const page = await playground.open({ size });
    await openExample(page, "Quantization levels");
    const levels = cell(page, "Compare", "levels");
    await runCell(levels);
    await levels.getByRole("button", { name: "Pin as baseline" }).click();
    await levels.getByTitle("Run cell").click();
    await expectSeen(levels.getByText(/^Against the baseline/));
    await expectSeen(levels.locator(".token").first());
    await levels.getByRole("button", { name: "Next difference" }).click();
    await expectSeen(page.getByRole("dialog", { name: "Token under every level" }));
    await expectSound(page, `${name}-level-tokens`);
    expect(await pageWidth(page)).toBeLessThanOrEqual(size.width);
  });

  it("axe finds nothing in dialogs, sweeps and evaluations", async () => {
    const page = await playground.open({ size });
    await cell(page, "Prompt", "place").getByRole("button", { name: "Draw a box" }).click();
    await expectSeen(page.getByRole("dialog").getByRole("img", { name: "dog" }));
    // What a dialog does to the page behind it is the same for all of them.
    await expectSound(page);
    await page.keyboard.press("Escape");
    for (const item of [
      "Earlier versions",
      "Share a read-only copy",
      "Connection to the endpoint",
    ]) {
      await page.getByRole("button", { name: "More for this notebook" }).click();
      await page.getByRole("menuitem", { name: item }).click();
      await expectSeen(page.getByRole("dialog"));
      await expectSound(page, `${name}-${item.split(" ")[0].toLowerCase()}`, dialog);
      await page.keyboard.press("Escape");
      await expectGone(page.getByRole("dialog"));
    }
    await openExample(page, "Decoding");
    await runCell(cell(page, "Sweep", "temperatures"));
    await cell(page, "Sweep", "temperatures").locator("td button").first().click();
    await expectSound(page, `${name}-sweep`);
    await openExample(page, "Quantization levels");
    await runCell(cell(page, "Evaluate", "accuracy"));
    await cell(page, "Evaluate", "accuracy").getByText("Every answer").click();
    await expectSound(page, `${name}-evaluate`);
    expect(await pageWidth(page)).toBeLessThanOrEqual(size.width);
  });

  it("axe finds nothing in comparisons, settings and dialogs", async () => {
    const page = await playground.open({ size });
    await openExample(page, "Decoding");
    await runCell(cell(page, "Compare", "methods"));
    await cell(page, "Compare", "methods").scrollIntoViewIfNeeded();
    await expectSound(page, `${name}-compare`);
    await cell(page, "Compare", "methods").getByTitle("Settings of this cell").click();
    await expectSound(page, `${name}-settings`);
    await page.getByRole("button", { name: "Close settings" }).click();
    await page.keyboard.press("Control+k");
    await expectSeen(page.getByPlaceholder("What do you want to do?"));
    await expectSound(page, `${name}-palette`, dialog);
    expect(await pageWidth(page)).toBeLessThanOrEqual(size.width);
  });
});
