/** The playground as a person has it: a real server on nano and a real Chromium. */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { launchBrowser } from "../../../../test/e2e/browser.ts";
import { createProfiles } from "./profiles.ts";
import { runningServer, startServer, type Command, type Server } from "../support/server.ts";

/** Screenshots, kept for people to look at; git ignores them. */
const artefacts = fileURLToPath(new URL("../../../../test/artefacts/playground/", import.meta.url));

/** Those shown in docs/playground.md; renewed on request only, so that a test run changes no committed file. */
const documented: Readonly<Record<string, string>> = {
  "desktop-answer": "playground.png",
  "desktop-alternatives": "playground-tokens.png",
  "desktop-levels": "playground-levels.png",
  "desktop-level-tokens": "playground-level-tokens.png",
  "desktop-fine-tuning": "playground-fine-tuning.png",
  "desktop-box": "playground-box.png",
  "phone-answer-dark": "playground-phone.png",
};
const images = fileURLToPath(new URL("../../../../docs/images/", import.meta.url));

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

/** What a person does by hand is tried on both. */
export const screens = [
  { name: "desktop", size: desktop },
  { name: "phone", size: phone },
];

export interface OpenOptions {
  size?: { width: number; height: number };
  path?: string;
  /** The server to open, where it is another one than the playground's own. */
  origin?: string;
  /** The page is to open without its server later. */
  offline?: boolean;
  /** Messages of the browser's console that the test provokes. */
  expected?: RegExp;
}

/** What the console says where a text tried to run something. */
export const refusedScript = /inline event handler violates the following Content Security Policy/;

export interface Playground {
  server: Server;
  open(options?: OpenOptions): Promise<Page>;
  /** Another tab of the same browser profile. */
  openBeside(page: Page): Promise<Page>;
  /** Closes all pages; fails if any of them wrote an error to its console. */
  endTest(): Promise<void>;
  screenshot(page: Page, name: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts server and browser; `PLAYGROUND_URL` names a running server to use
 * instead of nano's.
 * @param command another server than the one with nano
 */
export async function startPlayground(command?: Command): Promise<Playground> {
  const running = command === undefined ? process.env["PLAYGROUND_URL"] : undefined;
  const [server, browser] = await Promise.all([
    running === undefined ? startServer({}, command) : runningServer(running),
    launchBrowser(),
  ]);
  await Promise.all([artefacts, images].map((folder) => mkdir(folder, { recursive: true })));
  let problems: string[] = [];
  const profiles = createProfiles(browser, server.url);
  /** What a service worker kept would outlive the test. */
  const passing: BrowserContext[] = [];
  const contextFor = async (options: OpenOptions): Promise<BrowserContext> => {
    if (!options.offline) return profiles.take(settingsOf(options));
    const context = await browser.newContext(settingsOf(options));
    passing.push(context);
    return context;
  };
  return {
    server,
    open: async (options = {}) =>
      openPage(await contextFor(options), server.url, options, problems),
    openBeside: (page) => openPage(page.context(), server.url, {}, problems),
    async endTest() {
      await Promise.all(passing.splice(0).map((context) => context.close()));
      await profiles.release();
      const found = problems;
      problems = [];
      if (found.length > 0)
        throw new Error(`the browser's console has errors:\n${found.join("\n")}`);
    },
    async screenshot(page, name) {
      const picture = await page.screenshot({ path: `${artefacts}${name}.png` });
      const shown = documented[name];
      if (shown !== undefined && process.env["SCREENSHOTS"] === "docs") {
        await writeFile(images + shown, picture);
      }
    },
    async close() {
      await browser.close();
      await server.stop();
    },
  };
}

const settingsOf = ({ size = desktop, offline = false }: OpenOptions): BrowserContextOptions => ({
  viewport: size,
  colorScheme: "light",
  hasTouch: size.width < 500,
  isMobile: size.width < 500,
  reducedMotion: "reduce",
  acceptDownloads: true,
  permissions: ["clipboard-read", "clipboard-write", "camera"],
  // It fetches all files of the page; only what is tried without a server needs it.
  serviceWorkers: offline ? "allow" : "block",
});

async function openPage(
  context: BrowserContext,
  url: string,
  { path = "/", origin = url, expected }: OpenOptions,
  problems: string[],
): Promise<Page> {
  const page = await context.newPage();
  const note = (text: string): void => {
    if (expected === undefined || !expected.test(text)) problems.push(text);
  };
  page.on("console", (message) => message.type() === "error" && note(message.text()));
  page.on("pageerror", (error) => note(String(error)));
  await page.goto(origin + path);
  await expectReady(page);
  return page;
}

/** The cell whose name field holds `name`, whatever its kind. */
export const cell = (page: Page, kind: string, name: string): Locator =>
  page.getByRole("article", { name: `${kind} ${name}`, exact: true });

/** Runs a cell and waits for its output to be complete. */
export async function runCell(of: Locator): Promise<void> {
  await of.getByTitle("Run cell").click();
  await of.getByText("up to date").waitFor();
}

/** Shows the list of notebooks, which narrow screens fold away. */
export async function openSidebar(page: Page): Promise<void> {
  if (!(await page.getByRole("navigation").isVisible()))
    await page.getByRole("button", { name: "Notebooks" }).first().click();
}

/** A narrow screen folds the list away once a notebook is open; clicks must not race with that. */
async function sidebarFolded(page: Page): Promise<void> {
  if ((page.viewportSize()?.width ?? 0) <= 1024) await expectGone(page.getByRole("navigation"));
}

/** Opens a notebook without cells. */
export async function openNew(page: Page): Promise<void> {
  await openSidebar(page);
  await page.getByRole("button", { name: "New", exact: true }).click();
  await expectSeen(page.getByText("An empty notebook"));
  await sidebarFolded(page);
}

/** Opens a notebook file of this text. */
export async function openMarkdown(page: Page, text: string, name = "notebook.md"): Promise<void> {
  await openSidebar(page);
  await page
    .getByLabel("Notebook file")
    .setInputFiles({ name, mimeType: "text/markdown", buffer: Buffer.from(text) });
}

/** A notebook with a question whose answer has at least so many tokens. */
export const longAnswer = (tokens: number): string => `\`\`\`prompt long
decoding: { minNewTokens: ${tokens}, maxNewTokens: 1024 }
---
describe everything
\`\`\`
`;

/** Ids of all cells in their order; those far from the screen have no content, but a place. */
export const cellIds = (page: Page): Promise<(string | null)[]> =>
  page
    .locator("[data-cell]")
    .evaluateAll((places) => places.map((place) => place.getAttribute("data-cell")));

/** Opens one of the example notebooks as one's own. */
export async function openExample(page: Page, title: string): Promise<void> {
  await openSidebar(page);
  await page
    .getByRole("navigation")
    .getByRole("button", { name: title, exact: true })
    .first()
    .click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await sidebarFolded(page);
}

/** A notebook of prompt cells `p1`, `p2`, …, each asking `question`. */
export const promptCells = (count: number, question: (i: number) => string): string =>
  [
    "# Long",
    ...Array.from(
      { length: count },
      (_, i) => `\`\`\`prompt p${i + 1}\n---\n${question(i + 1)}\n\`\`\``,
    ),
  ].join("\n\n");

/**
 * Waits until the page listens and nothing in it is replaced any more. The frame that is seen first has
 * no cells: where one is, or the word that there is none, the page runs. Then all that is loaded late has
 * to be there: cells have their content, texts their editors.
 */
export async function expectReady(page: Page): Promise<void> {
  const running = page.locator("main article").or(page.getByText("An empty notebook"));
  await expectSeen(running.first());
  await expectGone(page.locator("main [aria-busy=true]:is(textarea, :empty)").first());
}

/** Loads the page anew, as a person does. */
export async function reload(page: Page): Promise<void> {
  await page.reload();
  await expectReady(page);
}

/** Waits until a person can see it. */
export const expectSeen = (locator: Locator): Promise<void> => locator.waitFor();

/** Waits until it is no longer there. */
export const expectGone = (locator: Locator): Promise<void> =>
  locator.waitFor({ state: "detached" });
