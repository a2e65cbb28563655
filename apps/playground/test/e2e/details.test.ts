import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { fakeServer } from "../support/server.ts";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  expectGone,
  expectSeen,
  openExample,
  openMarkdown,
  promptCells,
  reload,
} from "./playground.ts";

const playground = hostPlayground(fakeServer);

const topOf = async (page: Page, name: string): Promise<number> =>
  (await cell(page, "Prompt", name).boundingBox())?.y ?? Number.NaN;
const atTop = (page: Page): Promise<void> =>
  expect.poll(() => page.evaluate(() => scrollY), { timeout: 10_000 }).toBe(0);

it("opens a notebook where it was left, also after a reload; a new one at its top", async () => {
  const page = await playground.open();
  const text = "\n\nWords before.".repeat(60);
  await openMarkdown(page, `# Introduced${text}\n\n${promptCells(80, (i) => `question ${i}`)}`);
  await expectSeen(page.getByRole("heading", { name: "Introduced" }));
  await atTop(page);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("What do you want to do?").fill("go to prompt p40");
  await page.keyboard.press("Enter");
  await expectSeen(cell(page, "Prompt", "p40"));
  await page.mouse.move(700, 500);
  await page.mouse.wheel(0, 300);
  await page.waitForTimeout(500);
  const left = await topOf(page, "p40");
  await reload(page);
  await expect.poll(() => topOf(page, "p40"), { timeout: 10_000 }).toBeCloseTo(left, -1);
  await openExample(page, "First steps");
  await atTop(page);
  const notebooks = page.getByRole("navigation");
  await notebooks.getByRole("button", { name: "Introduced", exact: true }).click();
  await expect.poll(() => topOf(page, "p40"), { timeout: 10_000 }).toBeCloseTo(left, -1);
  await page.getByLabel("Title of the notebook").fill("Renamed");
  await page.getByLabel("Title of the notebook").press("Enter");
  await expectSeen(notebooks.getByRole("button", { name: "Renamed", exact: true }));
  await expectGone(notebooks.getByRole("button", { name: "Introduced", exact: true }));
});

it("goes to the first and the last of 300 cells with one press", async () => {
  const page = await playground.open();
  await openMarkdown(
    page,
    promptCells(300, (i) => "question\n".repeat(1 + (i % 7))),
  );
  await expectSeen(cell(page, "Prompt", "p1"));
  await page.keyboard.press("End");
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollHeight - innerHeight - scrollY))
    .toBeLessThan(1);
  await expectSeen(cell(page, "Prompt", "p300"));
  await page.keyboard.press("Home");
  await atTop(page);
  await expectSeen(cell(page, "Prompt", "p1"));
});

it("takes what people paste and write: very much, nothing, and from right to left", async () => {
  const page = await playground.open();
  await openMarkdown(page, "שלום עולם\n\n```prompt q\n---\nשלום\n```\n");
  const prompt = cell(page, "Prompt", "q");
  const question = prompt.getByLabel("Question");
  const direction = (): Promise<string> =>
    question.evaluate((at) => getComputedStyle(at).direction);
  expect(await direction()).toBe("rtl");
  const words = (await page.getByText("שלום עולם").boundingBox())!;
  expect(words.x + words.width).toBeGreaterThan(1000);
  await playground.screenshot(page, "right-to-left");
  await question.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText("many words ".repeat(10_000));
  expect(await direction()).toBe("ltr");
  expect((await prompt.boundingBox())?.height).toBeLessThan(800);
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(" ");
  await prompt.getByTitle("Run cell").click();
  await expectSeen(prompt.getByText("Question: expected words, but found none."));
});

it("has every Run button in reach beside the settings on a screen of 1024 px", async () => {
  const page = await playground.open({ size: { width: 1024, height: 768 } });
  const prompt = cell(page, "Prompt", "answer");
  await prompt.getByTitle("Settings of this cell").click();
  await expectSeen(page.getByRole("complementary", { name: "Settings of the cell" }));
  await playground.screenshot(page, "settings-1024");
  await prompt.getByTitle("Run cell").click({ timeout: 2000 });
  await expectSeen(prompt.getByText("up to date"));
});

it("sees that the server is gone, although nobody asks it anything", async () => {
  const page = await playground.open({ expected: /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET/ });
  await expectSeen(cell(page, "Prompt", "answer"));
  await playground.server.kill();
  await page.getByText("Trying again…").waitFor({ timeout: 10_000 });
  await playground.server.restart();
  await expectGone(page.getByText("Trying again…"));
});
