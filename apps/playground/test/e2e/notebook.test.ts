import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  cellIds,
  openMarkdown,
  runCell,
  screens,
  expectSeen,
  expectGone,
  refusedScript,
  reload,
} from "./playground.ts";

const playground = hostPlayground();

describe.each(screens)("cells on a $name", ({ size }) => {
  it("are added, duplicated, moved and deleted from the keyboard, and all of it is undone", async () => {
    const page = await playground.open({ size });
    const before = await cellIds(page);
    await cell(page, "Prompt", "place").locator("header .kind").click();
    await page.keyboard.press("t");
    await page.keyboard.press("Escape");
    await cell(page, "Prompt", "place").locator("header .kind").click();
    await page.keyboard.press("d");
    await expectSeen(cell(page, "Prompt", "place2"));
    await page.keyboard.press("Alt+ArrowUp");
    await page.keyboard.press("Backspace");
    expect(await cellIds(page)).toHaveLength(before.length + 1);
    for (let i = 0; i < 4; i++) await page.keyboard.press("Control+z");
    expect(await cellIds(page)).toEqual(before);
    for (let i = 0; i < 3; i++) await page.keyboard.press("Control+Shift+z");
    expect(await cellIds(page)).toHaveLength(before.length + 2);
  });

  it("survive a reload with their outputs, without losing the last keystroke", async () => {
    const page = await playground.open({ size });
    await runCell(cell(page, "Prompt", "answer"));
    await cell(page, "Prompt", "answer").getByLabel("Question").click();
    await page.keyboard.press("End");
    await page.keyboard.type(" now, quickly");
    await reload(page);
    const prompt = cell(page, "Prompt", "answer");
    await expectSeen(prompt.getByText("what is this? now, quickly"));
    await expectSeen(prompt.getByText("a dog", { exact: true }));
    await expectSeen(prompt.getByText("changed since"));
  });

  it("can be named, and refuse a name that is taken", async () => {
    const page = await playground.open({ size });
    const name = cell(page, "Prompt", "answer").getByLabel("Name of the cell");
    await name.fill("place");
    await name.press("Enter");
    await expectSeen(page.getByText("Another cell is called place"));
    await name.fill("question");
    await name.press("Enter");
    await expectSeen(cell(page, "Prompt", "question"));
  });

  it("take a new name along to the cells that use it, and back", async () => {
    const page = await playground.open({ size });
    const place = cell(page, "Prompt", "place");
    await runCell(place);
    await runCell(cell(page, "Prompt", "named"));
    const rename = async (kind: string, from: string, to: string): Promise<void> => {
      const name = cell(page, kind, from).getByLabel("Name of the cell");
      await name.fill(to);
      await name.press("Enter");
    };
    await rename("Picture", "dog", "hound");
    await expectSeen(place.getByLabel("Ask without hound"));
    await expectSeen(place.getByText("up to date"));
    await expectSeen(place.getByRole("img", { name: "1 boxes on the picture" }));
    await rename("Prompt", "place", "spot");
    const named = cell(page, "Prompt", "named");
    await expectSeen(named.getByText("{{spot.box}}"));
    await expectSeen(named.getByText("up to date"));
    await reload(page);
    await expectSeen(
      cell(page, "Prompt", "spot").getByRole("img", { name: "1 boxes on the picture" }),
    );
    await rename("Prompt", "spot", "place");
    await named.locator("header .kind").click();
    await page.keyboard.press("Control+z");
    await expectSeen(named.getByText("{{spot.box}}"));
    await expectSeen(named.getByText("up to date"));
  });

  it("begin with the picture, the levels and the numbers at hand", async () => {
    const page = await playground.open({ size });
    await cell(page, "Prompt", "place").locator("header .kind").click();
    await page.keyboard.press("c");
    const comparison = cell(page, "Compare", "comparison");
    await expectSeen(comparison.getByLabel("Ask without dog"));
    for (const level of ["fp32", "int8", "int4"])
      await expectSeen(comparison.getByRole("button", { name: level, exact: true }));
    await comparison.locator("header .kind").click();
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("What do you want to do?").fill("Add chart");
    await page.keyboard.press("Enter");
    await expectSeen(page.getByText("comparison has no output yet; run it first."));
  });

  it("fetch nothing from elsewhere for a text, and run nothing in it", async () => {
    const page = await playground.open({ size, expected: refusedScript });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const text = [
      "![a picture](http://127.0.0.1:1/a.png)",
      '<img src="http://127.0.0.1:1/b.png" srcset="http://127.0.0.1:1/c.png" onerror="alert(1)">',
      '<video poster="http://127.0.0.1:1/d.png"></video><script>alert(1)</script>',
    ].join("\n\n");
    await openMarkdown(page, `# Hostile\n\n${text}`, "hostile.md");
    await expectSeen(page.getByRole("link", { name: "a picture" }));
    await playground.screenshot(page, "hostile"); // whatever is shown has been laid out by then
    expect(asked.filter((url) => url.includes("127.0.0.1:1/"))).toEqual([]);
    expect(await page.locator(".prose img, .prose video, .prose script").count()).toBe(0);
  });

  it("are found through the command palette", async () => {
    const page = await playground.open({ size });
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("What do you want to do?").fill("evalu");
    await page.keyboard.press("Enter");
    await expectSeen(cell(page, "Evaluate", "evaluation"));
  });
});

it.each(screens)("shares a read-only copy with outputs on a $name", async ({ size }) => {
  const page = await playground.open({ size });
  await runCell(cell(page, "Prompt", "answer"));
  await page.getByRole("button", { name: "More for this notebook" }).click();
  await page.getByRole("menuitem", { name: "Share a read-only copy" }).click();
  await page.getByRole("button", { name: "Create link" }).click();
  const link = new URL(await page.getByLabel("Link to the copy").inputValue());
  const reader = await playground.open({ size, path: link.pathname });
  await expectSeen(cell(reader, "Prompt", "answer").getByText("a dog", { exact: true }));
  await expectSeen(reader.getByText("A shared copy"));
  // It takes no change, from keys, the palette or settings; it can be run.
  const before = await cellIds(reader);
  const frame = cell(reader, "Prompt", "answer").locator("header .kind");
  for (const key of ["t", "d", "Backspace", "Alt+ArrowUp"]) {
    await frame.click();
    await reader.keyboard.press(key);
    await expectSeen(reader.getByText("This is a shared copy. Keep it as yours to change it."));
    expect(await cellIds(reader)).toEqual(before);
    await reader.getByRole("button", { name: "Dismiss" }).click();
  }
  await runCell(cell(reader, "Prompt", "answer"));
  await reader.getByRole("button", { name: "Keep as mine" }).click();
  await expectGone(reader.getByText("A shared copy"));
  await expectSeen(cell(reader, "Prompt", "answer").getByText("up to date"));
});
