import { expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  openMarkdown,
  promptCells,
  runCell,
  screens,
  expectSeen,
  expectGone,
  reload,
} from "./playground.ts";

const playground = hostPlayground();

it.each(screens)(
  "goes on on a $name when the server is killed and comes back",
  async ({ size }) => {
    const page = await playground.open({
      size,
      expected:
        /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_INCOMPLETE_CHUNKED|404/,
    });
    const prompt = cell(page, "Prompt", "answer");
    await runCell(prompt);
    await playground.server.kill();
    await prompt.getByTitle("Run cell").click();
    await expectSeen(prompt.getByText("does not answer. Your work is kept"));
    await expectSeen(page.getByText("Trying again…"));
    await prompt.getByLabel("Question").click();
    await page.keyboard.press("End");
    await page.keyboard.type("?");
    await playground.server.restart();
    await expectGone(page.getByText("Trying again…"));
    await runCell(prompt);
    await expectSeen(prompt.getByLabel("Question").getByText("what is this??"));
  },
);

it("keeps two tabs in step without losing a keystroke", async () => {
  const page = await playground.open();
  const other = await playground.openBeside(page);
  await cell(page, "Prompt", "answer").getByLabel("Question").click();
  await page.keyboard.press("End");
  await page.keyboard.type(" first");
  await expectSeen(cell(other, "Prompt", "answer").getByText("what is this? first"));
  await cell(page, "Prompt", "answer").getByLabel("Question").click();
  await page.keyboard.type("one ");
  await cell(other, "Prompt", "place").getByLabel("Question").click();
  await other.keyboard.type("two ");
  for (const tab of [page, other]) {
    await expectSeen(cell(tab, "Prompt", "answer").getByText("one ", { exact: false }).first());
    await expectSeen(cell(tab, "Prompt", "place").getByText("two ", { exact: false }).first());
  }
});

it("shows in one tab what was run in the other, pins included", async () => {
  const page = await playground.open();
  const other = await playground.openBeside(page);
  const [here, there] = [page, other].map((tab) => cell(tab, "Prompt", "answer"));
  await runCell(here);
  await expectSeen(there.getByText("a dog", { exact: true }));
  await here.getByRole("button", { name: "Pin as baseline" }).click();
  await expectSeen(there.getByRole("button", { name: "Unpin baseline" }));
  await here.getByRole("button", { name: "Unpin baseline" }).click();
  await expectGone(there.getByRole("button", { name: "Unpin baseline" }));
});

it("keeps the last keystrokes of two tabs that close at once", async () => {
  const page = await playground.open();
  const other = await playground.openBeside(page);
  await cell(page, "Prompt", "answer").getByLabel("Question").click();
  await cell(other, "Prompt", "place").getByLabel("Question").click();
  await page.keyboard.press("End");
  await other.keyboard.press("End");
  await Promise.all([page.keyboard.type(" one"), other.keyboard.type(" two")]);
  // Nothing may be written any more but what each keystroke wrote by itself.
  await Promise.all(
    [page, other].map((tab) =>
      tab.evaluate(() => {
        IDBObjectStore.prototype.put = () => {
          throw new Error("gone");
        };
      }),
    ),
  );
  const again = await playground.openBeside(page);
  await Promise.all([page.close(), other.close()]);
  await reload(again);
  await expectSeen(cell(again, "Prompt", "answer").getByText("what is this? one"));
  await expectSeen(cell(again, "Prompt", "place").getByText("where is the dog? two"));
});

it("says so when the storage is full, and saves once there is room", async () => {
  const page = await playground.open();
  await page.evaluate(() => {
    const put = IDBObjectStore.prototype.put;
    Object.assign(globalThis, { makeRoom: () => (IDBObjectStore.prototype.put = put) });
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await cell(page, "Prompt", "answer").getByLabel("Question").click();
  await page.keyboard.press("End");
  await page.keyboard.type(" kept");
  await expectSeen(page.getByText("This browser's storage is full."));
  await page.evaluate(() => (globalThis as unknown as { makeRoom(): void }).makeRoom());
  await expectGone(page.getByText("This browser's storage is full."));
  await reload(page);
  await expectSeen(cell(page, "Prompt", "answer").getByText("what is this? kept"));
});

it("makes no second copy where the answer to the first upload was lost", async () => {
  const page = await playground.open({ expected: /ERR_FAILED/ });
  const ids: string[] = [];
  await page.route("**/v1/notebooks", async (route) => {
    const answer = await route.fetch();
    ids.push((await answer.json()).id);
    await (ids.length === 1 ? route.abort() : route.fulfill({ response: answer }));
  });
  await page.getByRole("button", { name: "More for this notebook" }).click();
  await page.getByRole("menuitem", { name: "Share a read-only copy" }).click();
  await page.getByRole("button", { name: "Create link" }).click();
  await expectSeen(page.getByText("does not answer"));
  await page.getByRole("button", { name: "Create link" }).click();
  expect(await page.getByLabel("Link to the copy").inputValue()).toContain(ids[0]);
  expect(ids[1]).toBe(ids[0]);
});

it("holds 500 cells, of which only those near the screen have content", async () => {
  const page = await playground.open();
  await openMarkdown(page, `# Long\n\n${promptCells(500, (i) => `question ${i}`)}`);
  await expectSeen(cell(page, "Prompt", "p1"));
  expect(await page.getByRole("listitem").locator(".place").count()).toBe(501);
  expect(await page.locator("article").count()).toBeLessThan(60);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expectSeen(cell(page, "Prompt", "p500"));
  expect(await page.locator("article").count()).toBeLessThan(60);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("What do you want to do?").fill("go to prompt p250");
  await page.keyboard.press("Enter");
  await expectSeen(cell(page, "Prompt", "p250"));
  expect(await page.locator("article").count()).toBeLessThan(60);
});
