import { readFile } from "node:fs/promises";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { fakeServer } from "../support/server.ts";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  expectGone,
  expectSeen,
  openMarkdown,
  openSidebar,
  screens,
  reload,
} from "./playground.ts";

/** Its answers are as long as the number in the question says, 2 ms a token. */
const playground = hostPlayground(fakeServer);

const asking = (length: number): string => `\`\`\`prompt held
decoding: { maxNewTokens: 4096 }
---
say ${length}
\`\`\`
`;
const expected = /ERR_INTERNET_DISCONNECTED/;
const unreachable = "does not answer. Your work is kept";

async function ask(page: Page, prompt: Locator, question: string): Promise<void> {
  await prompt.getByLabel("Question").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(question);
  await prompt.getByTitle("Run cell").click();
}
const lengthOf = async (prompt: Locator): Promise<number> =>
  (await prompt.locator(".answer .words").innerText()).length;
const arrived = (prompt: Locator, length: number): Promise<void> =>
  expect.poll(() => lengthOf(prompt), { timeout: 20_000 }).toBeGreaterThan(length);

/** Collects what an answer shows while it grows. */
const watchAnswer = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    new MutationObserver(() => {
      const text = document.querySelector(".answer p.answer")?.textContent?.trim();
      if (text && text !== seen.at(-1)) seen.push(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
const watched = (page: Page): Promise<string[]> =>
  page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);

describe.each(screens)("answers on a $name", ({ name, size }) => {
  it("stream: the text grows, and what was shown stays", async () => {
    const page = await playground.open({ size });
    await openMarkdown(page, asking(1000));
    const prompt = cell(page, "Prompt", "held");
    await watchAnswer(page);
    await prompt.getByTitle("Run cell").click();
    await expectSeen(prompt.getByText("up to date"));
    const seen = await watched(page);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.filter((text, i) => i > 0 && !text.startsWith(seen[i - 1]))).toEqual([]);
  });

  it("are never lost to a run that fails, is stopped, or is taken back", async () => {
    const page = await playground.open({ size, expected });
    await openMarkdown(page, asking(10));
    const prompt = cell(page, "Prompt", "held");
    const place = (text: string): Promise<void> =>
      expectSeen(prompt.getByText(text, { exact: true }));
    await ask(page, prompt, "say 30");
    await expectSeen(prompt.getByText("up to date"));
    expect(await prompt.getByText("1 of 1").count()).toBe(0);
    await ask(page, prompt, "say 40");
    await expectSeen(prompt.getByText("· “say 40”"));
    await expectSeen(prompt.getByText("up to date"));
    await place("2 of 2");
    const second = await lengthOf(prompt);

    await page.context().setOffline(true);
    for (let i = 0; i < 2; i++) {
      await prompt.getByTitle("Run cell").click();
      await expectSeen(prompt.getByText(unreachable));
    }
    await place("2 of 2");
    expect(await lengthOf(prompt)).toBe(second);
    await playground.screenshot(page, `${name}-kept-offline`);
    await page.context().setOffline(false);

    await ask(page, prompt, "say 4096");
    await arrived(prompt, 2 * second);
    await prompt.getByRole("button", { name: "Stop" }).click();
    await expectSeen(prompt.getByText("The last run was stopped."));
    await place("2 of 3");
    expect(await lengthOf(prompt)).toBe(second);
    await prompt.getByRole("button", { name: "Show what had arrived" }).click();
    await place("3 of 3");
    await expectSeen(prompt.getByText("Stopped; this is what had arrived."));
    expect(await lengthOf(prompt)).toBeGreaterThan(second);
    for (let i = 0; i < 2; i++)
      await prompt.getByRole("button", { name: "Earlier answer" }).click();
    await place("1 of 3");
    await expectSeen(prompt.getByText("· “say 30”"));
    expect(await lengthOf(prompt)).toBeLessThan(second);
    await playground.screenshot(page, `${name}-kept-steps`);

    await reload(page);
    await place("1 of 3");
    await ask(page, prompt, "say 20");
    await expectSeen(prompt.getByText("up to date"));
    await place("4 of 4");
    await prompt.locator("header .kind").click();
    await page.keyboard.press("Control+z");
    await place("1 of 4");
    await page.keyboard.press("Control+Shift+z");
    await place("4 of 4");
    await page.keyboard.press("Backspace");
    await expectGone(prompt);
    await page.keyboard.press("Control+z");
    await place("4 of 4");

    await page.getByRole("button", { name: "More for this notebook" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: /^Download as Markdown/ }).click();
    const buffer = await readFile(await (await download).path());
    await openSidebar(page);
    const file = { name: "kept.zip", mimeType: "application/zip", buffer };
    await page.getByLabel("Notebook file").setInputFiles(file);
    await place("4 of 4");
  });

  it("are kept while they stream, and say that they were interrupted", async () => {
    const page = await playground.open({ size });
    await openMarkdown(page, asking(4096));
    const prompt = cell(page, "Prompt", "held");
    await prompt.getByTitle("Run cell").click();
    await arrived(prompt, 3000);
    await reload(page);
    await expectSeen(prompt.getByText("Interrupted: the page was closed or reloaded."));
    expect(await lengthOf(prompt)).toBeGreaterThan(300);
    // An answer goes before what was interrupted.
    await ask(page, prompt, "say 20");
    await expectSeen(prompt.getByText("up to date"));
    await expectSeen(prompt.getByText("2 of 2"));
    await ask(page, prompt, "say 4096");
    await arrived(prompt, 3000);
    await reload(page);
    await expectSeen(prompt.getByText("Interrupted: the page was closed or reloaded."));
    await expectSeen(prompt.getByText("2 of 3"));
    expect(await lengthOf(prompt)).toBeLessThan(150);
  });
});

it("keeps the answers of sweeps, comparisons and evaluations as well", async () => {
  const page = await playground.open({ expected });
  const cells = [
    "```sweep s\naxes:\n  - parameter: maxNewTokens\n    values: [ 20, 30 ]\n---\nsay 20\n```",
    "```compare c\ncolumns:\n  - label: one\n  - label: two\n---\nsay 21\n```",
    "```evaluate e\nitems:\n  - prompt: say 22\n    answer: a\n```",
  ];
  await openMarkdown(page, `# Kinds\n\n${cells.join("\n\n")}\n`);
  for (const [kind, name, seen] of [
    ["Sweep", "s", "same tint"],
    ["Compare", "c", "the same tokens as one"],
    ["Evaluate", "e", "Every answer"],
  ] as const) {
    const asked = cell(page, kind, name);
    const run = asked.getByTitle("Run cell");
    const answers = asked.getByRole("group", { name: "Answers of this cell" });
    await run.click();
    await expectSeen(asked.getByText("up to date"));
    await run.click();
    await expectSeen(answers.getByText("2 of 2"));
    await expectSeen(asked.getByText("up to date"));
    await page.context().setOffline(true);
    await run.click();
    await expectSeen(asked.getByText(unreachable));
    await expectSeen(asked.getByText(seen).first());
    await expectSeen(answers.getByText("2 of 2"));
    await page.context().setOffline(false);
  }
});
