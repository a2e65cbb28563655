import { describe, expect, it } from "vitest";
import { plainName } from "../../../../test/e2e/browser.ts";
import { startServer } from "../support/server.ts";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  cellIds,
  expectGone,
  expectSeen,
  longAnswer,
  openExample,
  openMarkdown,
  openSidebar,
  runCell,
  screens,
  reload,
} from "./playground.ts";

const playground = hostPlayground();

describe.each(screens)("notebooks on a $name", ({ size }) => {
  it("keep what runs in them to themselves", async () => {
    const page = await playground.open({ size });
    // So much to answer that it is not done when the other one is open, however fast the machine.
    const names = Array.from({ length: 12 }, (_, i) => `long${i + 1}`);
    const text = names.map((name) => longAnswer(1000).replace("long", name)).join("\n");
    await openMarkdown(page, text, "long.md");
    const answer = cell(page, "Prompt", "long1").locator(".answer p.answer");
    const words = answer.filter({ hasText: /\w/ });
    await expectSeen(cell(page, "Prompt", "long1"));
    await page.getByTitle("Run all cells").click();
    await expectSeen(words);
    // Its cells have the same ids as the other one's.
    await openExample(page, "Decoding");
    await expectGone(page.getByRole("button", { name: "Stop", exact: true }));
    expect(await page.locator(".answer p.answer").count()).toBe(0);
    expect((await page.getByRole("alert").allInnerTexts()).join("")).toBe("");
    await openSidebar(page);
    await page.getByRole("navigation").getByRole("button", { name: "long", exact: true }).click();
    await expectSeen(words);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    const last = cell(page, "Prompt", "long12");
    await expectSeen(last.getByTitle("Run cell"));
    expect(await last.locator(".answer").count()).toBe(0);
  });

  it("come back after they were deleted, with their outputs", async () => {
    const page = await playground.open({ size });
    await runCell(cell(page, "Prompt", "answer"));
    await openSidebar(page);
    await page.getByRole("button", { name: "Delete First steps" }).click();
    await expectSeen(page.getByText("Deleted First steps"));
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expectGone(page.getByText("Deleted First steps"));
    await expectSeen(cell(page, "Prompt", "answer").getByText("a dog", { exact: true }));
  });

  it("survive a reload at once after a cell was moved, deleted or the title changed", async () => {
    const page = await playground.open({ size });
    const before = await cellIds(page);
    await cell(page, "Prompt", "answer").locator("header .kind").click();
    await page.keyboard.press("Alt+ArrowUp");
    await page.getByLabel("Title of the notebook").fill("Mine");
    await page.getByLabel("Title of the notebook").press("Enter");
    await cell(page, "Prompt", "place").locator("header .kind").click();
    await page.keyboard.press("Backspace");
    const after = await cellIds(page);
    expect(after).toHaveLength(before.length - 1);
    await reload(page);
    await expectSeen(cell(page, "Prompt", "answer"));
    expect(await cellIds(page)).toEqual(after);
    expect(await page.getByLabel("Title of the notebook").inputValue()).toBe("Mine");
  });

  it("have earlier versions, which open as copies", async () => {
    const page = await playground.open({ size });
    await cell(page, "Prompt", "answer").getByLabel("Question").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("another question");
    await page.getByRole("button", { name: "More for this notebook" }).click();
    await page.getByRole("menuitem", { name: "Earlier versions" }).click();
    await expectSeen(page.getByText("1 cell changed since"));
    await page.getByRole("button", { name: "Open as a copy" }).click();
    await expectSeen(cell(page, "Prompt", "answer").getByText("what is this?"));
    expect(await page.getByLabel("Title of the notebook").inputValue()).toBe(
      "First steps (earlier)",
    );
  });
});

describe("running", () => {
  it("goes from a cell to the end, and by itself only where a cell is set to it", async () => {
    const page = await playground.open();
    const [answer, place, named] = ["answer", "place", "named"].map((name) =>
      cell(page, "Prompt", name),
    );
    await place.getByRole("button", { name: "More for this cell" }).click();
    await page.getByRole("menuitem", { name: "Run this and all below" }).click();
    await expectSeen(named.getByText("up to date"));
    await answer.scrollIntoViewIfNeeded();
    expect(await answer.locator(".answer p.answer").count()).toBe(0);

    await named.getByRole("button", { name: "More for this cell" }).click();
    await page.getByRole("menuitem", { name: "Run by itself when inputs change" }).click();
    await place.getByLabel("Question").click();
    await page.keyboard.press("End");
    await page.keyboard.type(" please");
    await expectSeen(place.getByText("changed since"));
    await named.getByLabel("Question").click();
    await page.keyboard.press("End");
    await page.keyboard.type("?");
    await expectSeen(named.getByText("changed since"));
    await expectSeen(named.getByText("up to date"));
    await expectSeen(place.getByText("changed since"));
  });

  it("all of a notebook, and stops all of it", async () => {
    const page = await playground.open();
    await openMarkdown(
      page,
      longAnswer(1000) + longAnswer(1000).replace("long", "longer"),
      "long.md",
    );
    await expectSeen(cell(page, "Prompt", "longer"));
    await page.getByTitle("Run all cells").click();
    await expectSeen(cell(page, "Prompt", "longer").getByText("waiting"));
    await page.getByRole("button", { name: "Stop", exact: true }).first().click();
    await expectSeen(cell(page, "Prompt", "long").getByText("Stopped; this is what had arrived."));
    await expectSeen(page.getByTitle("Run all cells"));
    expect(await cell(page, "Prompt", "longer").locator(".answer").count()).toBe(0);
  });
});

const key = "a-key-of-24-characters-x";

describe("another endpoint", () => {
  it("is asked with its key, which stays in the browser, and shares from there", async () => {
    const elsewhere = await startServer({
      TINYGPTV_KEYS: key,
      TINYGPTV_CORS_ORIGINS: playground.server.url,
    });
    try {
      // In the end the endpoint is stopped under the pages.
      const page = await playground.open({ expected: /401|ERR_CONNECTION_REFUSED/ });
      await page.getByRole("button", { name: /^Connection:/ }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Address").fill("example");
      await expectSeen(dialog.getByText("Want an address like https://example.org"));
      await dialog.getByLabel("Address").fill(`${elsewhere.url}/`);
      await dialog.getByRole("button", { name: "Connect" }).click();
      await expectSeen(dialog.getByText("Set the endpoint's key under Connection."));
      await dialog.getByLabel("Key").fill(key);
      await dialog.getByRole("button", { name: "Connect" }).click();
      await expectSeen(dialog.getByRole("cell", { name: "nano:fp32" }));
      await dialog.getByRole("button", { name: "Close" }).click();

      const sent = page.waitForRequest((request) => request.url().endsWith("/v1/chat/completions"));
      await runCell(cell(page, "Prompt", "answer"));
      expect((await sent).url()).toBe(`${elsewhere.url}/v1/chat/completions`);
      expect(await (await sent).headerValue("authorization")).toBe(`Bearer ${key}`);
      await cell(page, "Prompt", "answer").getByRole("button", { name: "Request" }).click();
      const code = await cell(page, "Prompt", "answer").locator("pre").innerText();
      expect(code).toContain(`${elsewhere.url}/v1/chat/completions`);
      expect(code).not.toContain(key);

      await reload(page); // the browser remembers where it was connected
      await page.getByRole("button", { name: "More for this notebook" }).click();
      await page.getByRole("menuitem", { name: "Share a read-only copy" }).click();
      await page.getByRole("button", { name: "Create link" }).click();
      const link = new URL(await page.getByLabel("Link to the copy").inputValue());
      expect(link.href).not.toContain(key);
      const reader = await playground.open({
        path: link.pathname + link.search,
        expected: /ERR_CONNECTION_REFUSED/,
      });
      await expectSeen(cell(reader, "Prompt", "answer").getByText("a dog", { exact: true }));
    } finally {
      await elsewhere.stop();
    }
  });

  it("is used over plain http, where browsers hold back what they give to secure pages", async () => {
    const elsewhere = await startServer({ TINYGPTV_KEYS: key });
    try {
      const origin = elsewhere.url.replace("127.0.0.1", plainName);
      const page = await playground.open({ origin, expected: /401/ });
      expect(await page.evaluate(() => isSecureContext)).toBe(false);
      await expectSeen(page.getByText("Set the endpoint's key under Connection."));
      await page.getByRole("button", { name: "Connection", exact: true }).click();
      await page.getByLabel("Key").fill(key);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await expectSeen(page.getByRole("cell", { name: "nano:fp32" }));
      await page.keyboard.press("Escape");
      const answer = cell(page, "Prompt", "answer");
      await answer.getByRole("button", { name: "More for this cell" }).click();
      await page.getByRole("menuitem", { name: "Duplicate" }).click();
      await runCell(cell(page, "Prompt", "answer2"));
      await cell(page, "Prompt", "answer2").getByRole("button", { name: "Request" }).click();
      await page.getByRole("button", { name: "Copy request" }).click();
      await expectSeen(page.getByText("The browser does not allow it here"));
      await reload(page);
      await expectSeen(cell(page, "Prompt", "answer2").getByText("up to date"));
    } finally {
      await elsewhere.stop();
    }
  });
});
