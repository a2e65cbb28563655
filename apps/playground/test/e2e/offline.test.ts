/** The page without its server, and parts of it that do not come. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import { cell, expectGone, expectReady, expectSeen, openMarkdown, runCell } from "./playground.ts";

const playground = hostPlayground();
const expected = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_FAILED|dynamically imported/;

/** Waits until the page has been kept for times without a server. */
const kept = (page: Page): Promise<void> =>
  page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

it("opens with its notebooks while the server is down, and works but for the endpoint", async () => {
  const page = await playground.open({ offline: true, expected });
  const answer = cell(page, "Prompt", "answer");
  await runCell(answer);
  await kept(page);
  await playground.server.kill();
  try {
    await page.reload();
    await expectSeen(answer.getByText("a dog", { exact: true }));
    await expectSeen(page.getByText("Trying again…"));
    await expectReady(page);
    await answer.getByLabel("Question").click();
    await page.keyboard.press("End");
    await page.keyboard.type("?");
    await openMarkdown(
      page,
      "# Offline\n\n```compare c\ncolumns:\n  - label: one\n---\nwhat?\n```\n",
    );
    await expectSeen(cell(page, "Compare", "c").getByText("what?"));
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("What do you want to do?").fill("shortcuts");
    await page.keyboard.press("Enter");
    await expectSeen(page.getByRole("dialog", { name: "Keyboard shortcuts" }));
    await page.keyboard.press("Escape");
    // Another tab, at another of the page's addresses.
    const other = await page.context().newPage();
    await other.goto(`${playground.server.url}/compare`);
    await expectSeen(other.getByRole("article").first());
  } finally {
    await playground.server.restart();
  }
  await page.reload();
  await expectGone(page.getByText("Trying again…"));
  // The example of that name is there before one's own notebooks are.
  await page
    .getByRole("list", { name: "Yours, in this browser" })
    .getByRole("button", { name: "First steps", exact: true })
    .click();
  await expectSeen(answer.getByLabel("Question").getByText("what is this??"));
  await runCell(answer);
});

it("keeps its own files, and nothing that the endpoint answered", async () => {
  const page = await playground.open({ offline: true, expected });
  await runCell(cell(page, "Prompt", "answer"));
  await kept(page);
  await page.reload();
  await runCell(cell(page, "Prompt", "answer"));
  const paths = await page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys())
        found.push(new URL(url).pathname);
    return found;
  });
  expect(paths).toContain("/");
  expect(paths.filter((path) => !/^\/(_app\/.*|icon\.svg)?$/.test(path))).toEqual([]);
});

/** The page marked as another one, with the hashes of its scripts as they are now. */
function asNewer(page: string): string {
  const hashes = Array.from(page.matchAll(/<script>([^]*?)<\/script>/g), ([, script = ""]) => {
    const hash = createHash("sha256").update(script).digest("base64");
    return `'sha256-${hash}'`;
  });
  return page
    .replace("<head>", '<head><meta name="newer">')
    .replace(/'sha256-[^']+'( 'sha256-[^']+')*/, hashes.join(" "));
}

/** The same server, and from `renew` on another version of the page. */
async function renewable(target: string) {
  const { version } = (await (await fetch(`${target}/_app/version.json`)).json()) as {
    version: string;
  };
  let newer = false;
  const server = createServer((request, response) => {
    void (async () => {
      const answer = await fetch(target + request.url);
      const type = answer.headers.get("content-type") ?? "";
      let body = Buffer.from(await answer.arrayBuffer());
      if (newer && /html|javascript|json/.test(type) && !request.url?.includes("immutable"))
        body = Buffer.from(body.toString().replaceAll(version, `${version}1`));
      if (newer && type.includes("html")) body = Buffer.from(asNewer(body.toString()));
      const headers = Object.fromEntries(answer.headers);
      for (const name of ["content-length", "content-encoding", "etag"]) delete headers[name];
      response.writeHead(answer.status, headers).end(body);
    })();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    renew: () => void (newer = true),
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

it("says that there is a new version of the page, takes it, and forgets the one before", async () => {
  using site = await renewable(playground.server.url);
  const page = await playground.open({ offline: true, origin: site.url, expected });
  await kept(page);
  const caches = (of: Page): Promise<string[]> => of.evaluate(() => globalThis.caches.keys());
  const before = await caches(page);
  expect(before).toHaveLength(1);
  site.renew();
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await expectSeen(page.getByText("There is a new version of this page."));
  await page.getByRole("button", { name: "Reload" }).click();
  await page.locator("meta[name=newer]").waitFor({ state: "attached" });
  await expectSeen(cell(page, "Prompt", "answer"));
  await expect.poll(() => caches(page), { timeout: 20_000 }).toHaveLength(2);
  // The files of the old one are kept for the pages that began with them, and no longer.
  const context = page.context();
  await page.close();
  const keptNow = async (): Promise<string[]> => {
    const again = await context.newPage();
    await again.goto(site.url);
    const names = await caches(again);
    await again.close();
    return names;
  };
  await expect.poll(keptNow, { timeout: 30_000, interval: 1000 }).toEqual([`${before[0]}1`]);
});

it("says which part of it did not come, and gets it when tried again", async () => {
  const page = await playground.open({ expected });
  // Nothing is loaded before it is wanted.
  await page.addInitScript(() => Object.assign(globalThis, { requestIdleCallback: () => 0 }));
  await page.reload();
  // The frame is there before the program that listens to keys.
  await expectSeen(page.locator("article").first());
  await expectReady(page);
  await expectSeen(page.getByRole("complementary", { name: "Settings of the cell" }));
  await page.route("**/_app/immutable/**", (route) => route.abort());
  await page.keyboard.press("Control+k");
  await expectSeen(page.getByText("This part of the page could not be loaded."));
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  const failed = page.getByRole("article", { name: /^Compare/ });
  await expectSeen(failed.getByText("This part of the page could not be loaded."));
  await page.unroute("**/_app/immutable/**");
  await failed.getByRole("button", { name: "Try again" }).click();
  await expectSeen(failed.getByLabel("Question"));
  await page.keyboard.press("Control+k");
  await expectSeen(page.getByPlaceholder("What do you want to do?"));
});
