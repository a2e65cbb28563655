/** The playground without an endpoint: the built site on a plain file server, nano in the page. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, it } from "vitest";
import { launchBrowser } from "../../../../test/e2e/browser.ts";
import { serveFolders } from "../../../../test/support/folderServer.ts";
import type { FolderServer } from "../../../../test/support/folderServer.ts";
import { cell, expectGone, expectReady, expectSeen, openMarkdown, runCell } from "./playground.ts";

const site = fileURLToPath(new URL("../../build/site", import.meta.url));
let browser: Browser;
let server: FolderServer;
const problems: string[] = [];
/** The page asks whether there is an endpoint; without a server it asks for the manifest in vain. */
const expected = /404 \(Not Found\)|ERR_CONNECTION_REFUSED/;

beforeAll(async () => {
  browser = await launchBrowser();
  // The page's own policy as a host sends it: for the worker too, which reads none in a page.
  const page = await readFile(join(site, "index.html"), "utf8");
  const policy = /http-equiv="content-security-policy" content="([^"]+)"/.exec(page)![1];
  server = await serveFolders({ "/": site }, { "content-security-policy": policy });
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  const found = problems.splice(0);
  if (found.length > 0) throw new Error(`the browser's console has errors:\n${found.join("\n")}`);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function open(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(server.url);
  await expectReady(page);
  return page;
}

const notebook = `# Everything

\`\`\`picture p
file: ../models/nano/gallery/dog.png
\`\`\`

\`\`\`prompt json
pictures: [p]
decoding: { jsonSchema: '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}', maxNewTokens: 20 }
---
How many?
\`\`\`

\`\`\`compare levels
pictures: [p]
columns:
  - { label: page, model: "nano:page" }
  - { label: int4, model: "nano:int4" }
---
[vqa] what color is the background?
\`\`\`
`;

it("says what a level takes, loads, and removes it", async () => {
  const page = await open(
    await browser.newContext({ reducedMotion: "reduce", serviceWorkers: "block" }),
  );
  await page
    .getByRole("button", { name: /^Connection/ })
    .first()
    .click();
  const dialog = page.getByRole("dialog", { name: "Connection" });
  const row = dialog.getByRole("row", { name: /nano:page/ });
  await expectSeen(row.getByText(/^17\.\d MB$/));
  await row.getByRole("button", { name: "Load" }).click();
  await expectSeen(row.getByText("loaded"));
  await row.getByRole("button", { name: "Remove" }).click();
  await expectSeen(row.getByRole("button", { name: "Load" }));
  await expectGone(row.getByText("loaded"));
});

it("answers, compares and constrains in the page, under a policy, and without any server later", async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await open(context);
  await expectSeen(page.getByText("Cells run in this browser", { exact: false }));
  const answer = cell(page, "Prompt", "answer");
  await runCell(answer);
  await expectSeen(answer.getByText("a dog", { exact: true }));

  await openMarkdown(page, notebook);
  await runCell(cell(page, "Prompt", "json"));
  await expectSeen(
    cell(page, "Prompt", "json")
      .getByText(/^\{"n": ?\d+\}$/)
      .first(),
  );
  const levels = cell(page, "Compare", "levels");
  await runCell(levels);

  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await server.stop();
  await runCell(cell(await open(context), "Prompt", "json"));
});
