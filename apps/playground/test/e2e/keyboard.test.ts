import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  cellIds,
  expectGone,
  expectSeen,
  openMarkdown,
  runCell,
  screens,
  reload,
} from "./playground.ts";

const playground = hostPlayground();

/** The cell the focus is in or on. */
const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() =>
    document.activeElement
      ?.closest("[role=listitem]")
      ?.querySelector("[data-cell]")
      ?.getAttribute("data-cell"),
  );

describe("the keyboard", () => {
  it("goes through cells, into one and out again", async () => {
    const page = await playground.open();
    const ids = await cellIds(page);
    await cell(page, "Picture", "dog").locator("header .kind").click();
    await page.keyboard.press("j");
    await expect.poll(() => focused(page)).toBe(ids[2]);
    await page.keyboard.press("Enter");
    await page.keyboard.press("End");
    await page.keyboard.type(" j");
    await expectSeen(cell(page, "Prompt", "answer").getByText("what is this? j"));
    // A first one, so soon after typing, may belong to the list of names that was about to open.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("k");
    await expect.poll(() => focused(page)).toBe(ids[1]);
    for (let i = 0; i < ids.length; i++) await page.keyboard.press("j");
    await expect.poll(() => focused(page)).toBe(ids.at(-1));
  });

  it("writes into a fresh text at once, and goes on while it is moved", async () => {
    const page = await playground.open();
    const before = await cellIds(page);
    await cell(page, "Prompt", "answer").locator("header .kind").click();
    await page.keyboard.press("t");
    await page.keyboard.type("written");
    for (const [key, place] of [
      ["Alt+ArrowUp", 2],
      ["Alt+ArrowDown", 3],
    ] as const) {
      await page.keyboard.press(key);
      await expect
        .poll(async () => (await cellIds(page)).findIndex((id) => !before.includes(id)))
        .toBe(place);
      await expectSeen(page.getByText("written", { exact: true }));
    }
    await page.keyboard.type(" on");
    await expectSeen(page.getByText("written on", { exact: true }));
  });

  it("leaves Enter to the button that has the focus", async () => {
    const page = await playground.open();
    const answer = cell(page, "Prompt", "answer");
    await answer.getByTitle("Run cell").focus();
    await page.keyboard.press("Enter");
    await expectSeen(answer.getByText("up to date"));
    expect(await answer.locator(".cm-focused").count()).toBe(0);
  });

  it("gives no command by a single key while something inside a cell has the focus", async () => {
    const page = await playground.open();
    const answer = cell(page, "Prompt", "answer");
    await runCell(answer);
    await answer.getByRole("button", { name: "Tokens" }).click();
    const before = await cellIds(page);
    const asked = await answer.getByRole("status").getAttribute("title");
    const singles = ["Backspace", "d", "p", "t", "i", "c", "w", "j", "k", "Shift+R"];
    const places = answer.locator("button, a[href], [tabindex='0']");
    for (const place of await places.all()) {
      await place.focus();
      for (const key of singles) await page.keyboard.press(key);
    }
    expect(await cellIds(page)).toEqual(before);
    expect(await answer.getByRole("status").getAttribute("title")).toBe(asked);
    // Where what had the focus goes, nothing has it, and keys that change something do nothing.
    await answer.getByRole("button", { name: "Tokens" }).focus();
    await page.evaluate(() => document.activeElement?.remove());
    for (const key of ["Backspace", "d", "w", "Shift+R"]) await page.keyboard.press(key);
    expect(await cellIds(page)).toEqual(before);
    // From a button, Escape leads to the cell; there the same keys are commands.
    await answer.getByTitle("Run cell").focus();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Backspace");
    await expectGone(answer);
    await page.keyboard.press("Control+z");
    await expectSeen(answer);
  });

  it("writes into the field that a button has just made", async () => {
    const page = await playground.open();
    const answer = cell(page, "Prompt", "answer");
    const before = await cellIds(page);
    await answer.getByRole("button", { name: "Ask on" }).click();
    await page.keyboard.type("what is behind it, d?");
    expect(await cellIds(page)).toEqual(before);
    await expectSeen(answer.getByLabel("Question, round 2").getByText("what is behind it, d?"));
    await answer.getByRole("button", { name: "Remove round 2" }).click();
    await page.keyboard.type(" now");
    await expectSeen(answer.getByLabel("Question").getByText("now"));
    await openMarkdown(page, "```evaluate e\nmetric: exact\n```");
    await page.getByRole("button", { name: "Add question" }).click();
    await page.keyboard.type("d, w and k");
    expect(await page.getByRole("textbox", { name: "Question" }).inputValue()).toBe("d, w and k");
    expect(await cellIds(page)).toHaveLength(1);
  });

  it("completes names of cells after {{", async () => {
    const page = await playground.open();
    await runCell(cell(page, "Prompt", "place"));
    const answer = cell(page, "Prompt", "answer");
    await answer.getByLabel("Question").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("what is in {{pl");
    await expectSeen(page.getByRole("option", { name: /^place\.box/ }));
    await playground.screenshot(page, "completion");
    await page.keyboard.press("Escape"); // closes the list, and leaves the text only then
    await expectGone(page.getByRole("option", { name: /^place/ }));
    await page.keyboard.type("ace.b");
    await page.getByRole("option", { name: /^place\.box/ }).click();
    await expectSeen(answer.getByText("what is in {{place.box}}"));
    await runCell(answer);
  });
});

describe.each(screens)("moving cells on a $name", ({ size }) => {
  it("by their handle, with the pointer", async () => {
    const page = await playground.open({ size });
    const before = await cellIds(page);
    const place = cell(page, "Prompt", "place");
    await place.scrollIntoViewIfNeeded();
    const grip = (await place.locator(".grip").boundingBox())!;
    await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
    await page.mouse.down();
    // As a hand moves: the list makes room while the pointer is on its way.
    for (let step = 1; step <= 20; step++) {
      await page.mouse.move(grip.x + grip.width / 2, grip.y - 15 * step);
      await page.waitForTimeout(20);
    }
    await page.mouse.up();
    // While it flies to its place there are two of it.
    await expect.poll(() => cellIds(page)).toHaveLength(before.length);
    const after = await cellIds(page);
    expect(after.toSorted()).toEqual(before.toSorted());
    expect(after.indexOf(before[4])).toBeLessThan(4);
    await reload(page);
    await expectSeen(cell(page, "Prompt", "place"));
    expect(await cellIds(page)).toEqual(after);
  });

  it("by their handle, from the keyboard", async () => {
    const page = await playground.open({ size });
    const before = await cellIds(page);
    await cell(page, "Prompt", "place").locator(".grip").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    const after = await cellIds(page);
    expect(after.indexOf(before[4])).toBe(3);
    expect(after.toSorted()).toEqual(before.toSorted());
  });
});

it("takes everything a narrow screen folds away from the menu", async () => {
  const page = await playground.open({ size: screens[1].size });
  const before = await cellIds(page);
  const menu = page.getByRole("button", { name: "More for this notebook" });
  await cell(page, "Prompt", "answer").getByRole("button", { name: "More for this cell" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expectGone(cell(page, "Prompt", "answer"));
  await menu.click();
  await page.getByRole("menuitem", { name: "Undo: Delete prompt cell" }).click();
  expect(await cellIds(page)).toEqual(before);
  await menu.click();
  await page.getByRole("menuitem", { name: "Light or dark colours" }).click();
  await page.waitForFunction(() => document.documentElement.classList.contains("dark"));
  await menu.click();
  await page.getByRole("menuitem", { name: "All commands" }).click();
  await expectSeen(page.getByPlaceholder("What do you want to do?"));
});
