import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { fakeServer } from "../support/server.ts";
import { takeShifts, watchShifts } from "../support/shifts.ts";
import { hostPlayground } from "./hosted.ts";
import { cell, expectSeen, openMarkdown, promptCells } from "./playground.ts";

const playground = hostPlayground(fakeServer);

/** Runs a cell without a person's click, whose shifts would count as wanted, until its output is complete and drawn. */
async function runByItself(of: Locator): Promise<void> {
  await of.evaluate(
    (article) =>
      new Promise<void>((resolve) => {
        let begun = false;
        const observer = new MutationObserver(() => {
          begun ||= article.querySelector(".badge.busy") !== null;
          if (!begun || article.querySelector(".badge.fresh") === null) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(article, { subtree: true, childList: true, attributes: true });
        article.querySelector<HTMLElement>('[title="Run cell"]')!.click();
      }),
  );
  await settled(of.page());
}

/** Resolves when what was mounted or measured meanwhile has been drawn. */
const settled = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    for (let i = 0; i < 4; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
  });

const topOf = (of: Locator): Promise<number> =>
  of.evaluate((element) => element.getBoundingClientRect().top);

it("names weights that nobody trained wherever they answer", async () => {
  const page = await playground.open();
  await openMarkdown(
    page,
    promptCells(1, () => "5 words"),
  );
  const prompt = cell(page, "Prompt", "p1");
  await runByItself(prompt);
  await expectSeen(prompt.getByText("fixture weights"));
  expect(await page.getByLabel("Level", { exact: true }).innerText()).toContain("fixture weights");
});

describe("the page stays where it is", () => {
  it("while an answer streams and when it comes again", async () => {
    const page = await playground.open();
    await openMarkdown(
      page,
      promptCells(2, (i) => (i === 1 ? "200 words" : "10 words")),
    );
    const last = cell(page, "Prompt", "p2");
    await expectSeen(last);
    await settled(page);
    await watchShifts(page);
    await runByItself(last);
    expect(await takeShifts(page)).toBeLessThan(0.01);

    // An answer that grows moves what is below it; the same again moves nothing.
    const first = cell(page, "Prompt", "p1");
    await runByItself(first);
    await takeShifts(page);
    await runByItself(first);
    expect(await takeShifts(page)).toBeLessThan(0.01);
    await first.getByRole("button", { name: "Tokens" }).click();
    await expectSeen(first.locator(".token").first());
    await page.waitForTimeout(600); // what follows a click at once does not count
    await takeShifts(page);
    await runByItself(first);
    expect(await takeShifts(page)).toBeLessThan(0.01);
    await expectSeen(first.locator(".token").first());
  });

  it("while an answer grows above what is on the screen", async () => {
    const page = await playground.open();
    await openMarkdown(
      page,
      promptCells(20, () => "400 words"),
    );
    const below = cell(page, "Prompt", "p3");
    await below.evaluate((element) => element.scrollIntoView());
    await settled(page);
    const before = await topOf(below);
    await watchShifts(page);
    await runByItself(cell(page, "Prompt", "p1"));
    expect(await takeShifts(page)).toBeLessThan(0.01);
    expect(Math.abs((await topOf(below)) - before)).toBeLessThan(1);
  });

  it("going up through cells that were never laid out", async () => {
    const page = await playground.open();
    await openMarkdown(
      page,
      promptCells(500, (i) => "a line\n".repeat(i % 7)),
    );
    await expectSeen(cell(page, "Prompt", "p1"));
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await expectSeen(cell(page, "Prompt", "p500"));
    await settled(page);
    for (let i = 0; i < 40; i++) {
      const middle = await page.evaluateHandle(() =>
        document.elementFromPoint(innerWidth / 2, innerHeight / 3)!.closest("[data-cell]")!,
      );
      const before = await topOf(middle as unknown as Locator);
      await page.evaluate(() => scrollBy(0, -500));
      await settled(page);
      expect(Math.abs((await topOf(middle as unknown as Locator)) - before - 500)).toBeLessThan(1);
    }
  });
});

it("has a button only for tokens near the screen, and the keyboard reaches them all", async () => {
  const length = 4096;
  const page = await playground.open();
  await openMarkdown(
    page,
    `\`\`\`prompt p1\ndecoding:\n  maxNewTokens: ${length}\n---\n${length} words\n\`\`\``,
  );
  const prompt = cell(page, "Prompt", "p1");
  await runByItself(prompt);
  await prompt.getByRole("button", { name: "Tokens" }).click();
  const tokens = prompt.locator(".token");
  await expectSeen(tokens.first());
  await settled(page);
  expect(await tokens.count()).toBeLessThan(1500);
  // The others are text, for the browser's search and for reading aloud.
  expect((await prompt.locator(".tokens").innerText()).length).toBeGreaterThan(4 * length);
  // One stop for Tab.
  expect(await prompt.locator('.token[tabindex="0"]').count()).toBe(1);

  await tokens.first().focus();
  await page.keyboard.press("ArrowRight");
  await expectSeen(page.locator('[data-index="1"]:focus'));
  await page.keyboard.press("End");
  await expectSeen(page.locator(`[data-index="${length - 1}"]:focus`));
  await page.keyboard.press("ArrowLeft");
  await expectSeen(page.locator(`[data-index="${length - 2}"]:focus`));
  await page.keyboard.press("ArrowRight");
  await expectSeen(page.locator(`[data-index="${length - 1}"]:focus`));
  await page.keyboard.press("Enter");
  await expectSeen(page.locator(".token-popover").getByText(`token ${length}`));
  expect(await page.locator(".token-popover li").count()).toBe(5);
  await settled(page);
  expect(await tokens.count()).toBeLessThan(1500);
  await page.keyboard.press("Escape");
  await expectSeen(page.locator(`[data-index="${length - 1}"]:focus`));
});
