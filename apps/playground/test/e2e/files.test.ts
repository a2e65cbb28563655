/** What goes out of the playground as files, and what comes in. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { strToU8, zipSync } from "fflate";
import type { Locator, Page } from "playwright-core";
import { contentHash, fromIpynb, fromMarkdown } from "@tinygptv/notebook";
import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  cellIds,
  desktop,
  expectSeen,
  openExample,
  openNew,
  openSidebar,
  runCell,
  screens,
  refusedScript,
} from "./playground.ts";

const playground = hostPlayground();

const gallery = (name: string): Promise<Buffer> =>
  readFile(fileURLToPath(new URL(`../../../../models/nano/gallery/${name}.png`, import.meta.url)));

interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}
const picture = async (name: string): Promise<Given> => ({
  name: `${name}.png`,
  mimeType: "image/png",
  buffer: await gallery(name),
});
const markdown = (name: string, text: string): Given => ({
  name,
  mimeType: "text/markdown",
  buffer: Buffer.from(text),
});
const zip = (name: string, files: Record<string, Uint8Array>): Given => ({
  name,
  mimeType: "application/zip",
  buffer: Buffer.from(zipSync(files)),
});

async function chosen(page: Page, menu: Locator, item: string): Promise<string> {
  await menu.click();
  const arriving = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: item }).click();
  const file = await arriving;
  const path = `${await file.path()}-${file.suggestedFilename()}`;
  await file.saveAs(path);
  return path;
}

const download = (page: Page, item: string): Promise<string> =>
  chosen(page, page.getByRole("button", { name: "More for this notebook" }), item);

/** Drops files on the page as a person does from a folder. */
async function drop(page: Page, ...files: Given[]): Promise<void> {
  const given = files.map(({ buffer, ...file }) => ({
    ...file,
    base64: buffer.toString("base64"),
  }));
  const data = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, mimeType, base64 } of list) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: mimeType }));
    }
    return transfer;
  }, given);
  await page.locator("main").dispatchEvent("drop", { dataTransfer: data });
}

/** Opens a file in a notebook that shows nothing of the one before. */
async function reopen(page: Page, file: string | Given): Promise<void> {
  await openNew(page);
  await openSidebar(page);
  await page.getByLabel("Notebook file").setInputFiles(file);
}

/** What the page says over everything else. */
const notices = (page: Page): Locator => page.getByRole("region", { name: "Notices" });

const apple = "```picture apple\nfile: pictures/apple.png\n```\n\n";
const question = "```prompt answer\npictures: [ apple ]\n---\nwhat is this?\n```\n";

describe.each(screens)("a notebook goes out and comes back the same on a $name", ({ size }) => {
  it("as Markdown with a side folder, outputs included", async () => {
    const page = await playground.open({ size });
    await runCell(cell(page, "Prompt", "place"));
    const before = await cellIds(page);
    const path = await download(page, "Download as Markdown");
    expect(path).toMatch(/first-steps\.zip$/);
    await reopen(page, path);
    await expectSeen(cell(page, "Prompt", "place"));
    expect(await cellIds(page)).toEqual(before);
    await expectSeen(cell(page, "Prompt", "place").getByText("up to date"));
  });

  it("for Jupyter, with outputs and pictures in the one file, in another browser", async () => {
    const page = await playground.open({ size });
    await runCell(cell(page, "Prompt", "place"));
    await drop(page, await picture("apple"));
    await expectSeen(page.getByRole("img", { name: "apple.png" }));
    const before = await cellIds(page);
    const path = await download(page, "Download for Jupyter");
    const { notebook, outputs, pictures } = fromIpynb(await readFile(path, "utf8"));
    expect([notebook.cells.length, outputs.size, pictures.size]).toEqual([before.length, 1, 1]);

    const other = await playground.open({ size });
    await reopen(other, path);
    await expectSeen(cell(other, "Prompt", "place").getByText("up to date"));
    await expectSeen(other.getByRole("img", { name: "apple.png" }));
    expect(await cellIds(other)).toEqual(before);
  });
});

describe("a notebook goes out", () => {
  it("as plain Markdown, without outputs", async () => {
    const page = await playground.open();
    await runCell(cell(page, "Prompt", "answer"));
    const path = await download(page, "Download as plain Markdown");
    expect(path).toMatch(/first-steps\.md$/);
    const text = await readFile(path, "utf8");
    expect(fromMarkdown(text).notebook.cells.map(({ name }) => name)).toContain("answer");
    expect(text).not.toContain("output:");
  });

  it("as one web page that needs nothing else", async () => {
    const page = await playground.open();
    await openExample(page, "Quantization levels");
    await page.getByTitle("Run all cells").click();
    await expectSeen(cell(page, "Compare", "levels").getByText("up to date"));
    await expectSeen(page.getByTitle("Run all cells"));
    const path = await download(page, "Download as a web page");
    const html = await readFile(path, "utf8");
    expect(html).not.toMatch(/<script|src="(?!data:)|<link/);

    const reader = await page.context().newPage();
    const asked: string[] = [];
    reader.on("request", (request) => asked.push(request.url()));
    await reader.goto(`file://${path}`);
    await expectSeen(reader.getByRole("heading", { level: 3, name: "int4" }).first());
    await expectSeen(
      reader.getByText("the same tokens as").or(reader.getByText("then different")).first(),
    );
    await expectSeen(reader.getByText("Tokens per second").first());
    await expectSeen(
      reader.locator("figure:has(svg)").getByText("Accuracy against file size").first(),
    );
    expect(await reader.locator("section:has(code:text-is('size')) circle").count()).toBe(3);
    expect(await reader.locator(".tokens span[title$='%']").count()).toBeGreaterThan(3);
    const natural = await reader
      .locator("img")
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(Math.min(...natural)).toBeGreaterThan(0);
    expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([`file://${path}`]);
    await reader.getByText("describe what you see").evaluate((place) => place.scrollIntoView());
    await playground.screenshot(reader, "web-page");
    await reader.emulateMedia({ colorScheme: "dark" });
    await playground.screenshot(reader, "web-page-dark");
  });

  it("as a web page that runs nothing of what people or models wrote", async () => {
    const page = await playground.open({ expected: refusedScript });
    const hostile = `</style><script>document.title="run"</script><img src="https://example.org/x.png" alt="seen" onerror="document.title='run'">"'`;
    const name = "hostile.md";
    const text = `---\ntitle: ${JSON.stringify(hostile)}\n---\n\n${hostile}\n\n\`\`\`prompt answer\n---\n${hostile}\n\`\`\`\n`;
    await page.getByLabel("Notebook file").setInputFiles(markdown(name, text));
    await runCell(cell(page, "Prompt", "answer"));
    const path = await download(page, "Download as a web page");
    const reader = await page.context().newPage();
    const asked: string[] = [];
    reader.on("request", (request) => asked.push(request.url()));
    await reader.goto(`file://${path}`);
    expect(await reader.title()).toBe(hostile);
    expect(await reader.locator("script, [onerror]").count()).toBe(0);
    await expectSeen(reader.getByRole("link", { name: "seen" }));
    expect(asked).toEqual([`file://${path}`]);
  });

  it("as a web page whose words run in their own direction", async () => {
    const page = await playground.open();
    const text =
      "# שלום\n\nwords\n\n```prompt answer\ntask: vqa\ndecoding: { maxNewTokens: 4 }\n---\nשלום עולם\n```\n";
    await page.getByLabel("Notebook file").setInputFiles(markdown("hebrew.md", text));
    await runCell(cell(page, "Prompt", "answer"));
    const path = await download(page, "Download as a web page");
    const reader = await page.context().newPage();
    await reader.goto(`file://${path}`);
    const middle = desktop.width / 2;
    const edges = (of: Locator): Promise<{ left: number; right: number }> =>
      of.evaluate((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        const { left, right } = range.getBoundingClientRect();
        return { left, right };
      });
    expect((await edges(reader.getByRole("heading", { name: "שלום" }))).left).toBeGreaterThan(
      middle,
    );
    expect((await edges(reader.getByText("שלום עולם"))).left).toBeGreaterThan(middle);
    expect((await edges(reader.getByText("words", { exact: true }))).right).toBeLessThan(middle);
    expect((await edges(reader.locator(".answer"))).right).toBeLessThan(middle);
  });

  it("as a table of one of its cells", async () => {
    const page = await playground.open();
    await openExample(page, "Quantization levels");
    const compare = cell(page, "Compare", "levels");
    await runCell(compare);
    const menu = compare.getByRole("button", { name: "More for this cell" });
    const path = await chosen(page, menu, "Download table (CSV)");
    expect(path).toMatch(/\.csv$/);
    const [header = "", ...rows] = (await readFile(path, "utf8")).trimEnd().split("\r\n");
    expect(header).toMatch(/^Run,Level,Answer,Latency \(ms\),.*File size \(MB\),Memory \(MB\)$/);
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(row).toMatch(/,nano:\w+,.*,\d+\.\d+$/);
  });
});

describe("a notebook comes in", () => {
  it("as a zip with pictures beside the Markdown", async () => {
    const page = await playground.open();
    const bytes = await gallery("apple");
    const file = zip("apple.zip", {
      "__MACOSX/._apple.md": strToU8("not a notebook"),
      "apple/notes/apple.md": strToU8(apple.replace("pictures/", "./../pictures/") + question),
      "apple/pictures/apple.png": bytes,
    });
    await page.getByLabel("Notebook file").setInputFiles(file);
    await runCell(cell(page, "Prompt", "answer"));
    await expectSeen(cell(page, "Prompt", "answer").getByText("an apple", { exact: true }));
    const { notebook: out } = fromMarkdown(
      await readFile(await download(page, "Download as plain Markdown"), "utf8"),
    );
    expect(out.cells[0]).toMatchObject({ file: `sha256:${contentHash(bytes)}` });
  });

  it("dropped on the page", async () => {
    const page = await playground.open();
    await drop(page, markdown("dropped.md", `# Dropped here\n\n${question}`));
    await expectSeen(page.getByRole("heading", { level: 1, name: "Dropped here" }));
    await expectSeen(cell(page, "Prompt", "answer"));
  });

  it("not at all where it is none: it is refused by name, and nothing is lost", async () => {
    const page = await playground.open();
    const cases: [Given, RegExp][] = [
      [markdown("cut.zip", "PK no more"), /cut\.zip: expected a zip archive/],
      [
        zip("empty.zip", { "a.txt": strToU8("a") }),
        /empty\.zip: expected a notebook \(\.md\) in it/,
      ],
      [markdown("bad.ipynb", "{}"), /bad\.ipynb: expected a Jupyter notebook/],
      [markdown("notes.txt", "hello"), /notes\.txt is not a notebook \(\.md, \.ipynb, \.zip\)/],
    ];
    for (const [file, message] of cases) {
      await page.getByLabel("Notebook file").setInputFiles(file);
      await expectSeen(notices(page).getByText(message));
    }
    await expectSeen(cell(page, "Prompt", "answer"));
  });

  it("with what is wrong in it marked, listed by lines and kept, until it is mended", async () => {
    const page = await playground.open();
    const wrong =
      "```prompt cold\ntemprature: 1\n---\nwhat?\n```\n\n```promt lost\n---\nwho?\n```\n";
    await page
      .getByLabel("Notebook file")
      .setInputFiles(markdown("bad.md", `# Mistakes\n\n${question}\n${wrong}`));
    await expectSeen(notices(page).getByText("bad.md has mistakes in it."));
    await expectSeen(notices(page).getByText(/^line 10: prompt: temprature: there is no such/));
    await expectSeen(notices(page).getByText("line 15: promt is no kind of cell; did you mean"));
    await playground.screenshot(page, "mistakes");
    await notices(page).getByRole("button", { name: "Dismiss" }).click();
    await expectSeen(cell(page, "Prompt", "answer"));
    const kept = await readFile(await download(page, "Download as plain Markdown"), "utf8");
    expect(kept).toContain(wrong);
    const faulty = page.getByRole("article", { name: /^Not understood/ }).last();
    await expectSeen(faulty.getByText(/did you mean prompt/));
    await faulty.getByLabel("The cell as it is written").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("```prompt lost\n---\nwho?\n```");
    await faulty.getByRole("button", { name: "Use it" }).click();
    await expectSeen(cell(page, "Prompt", "lost").getByText("who?"));
  });

  it("without the pictures that are none, which is told", async () => {
    const page = await playground.open();
    const name = `sha256-${"0".repeat(64)}`;
    const cells = `${apple}\`\`\`picture a\nfile: ${name.replace("-", ":")}\n\`\`\`\n\n${question}`;
    const file = zip("odd.zip", {
      "a.md": strToU8(cells),
      "pictures/apple.png": strToU8("no picture"),
      [`a.files/${name}`]: await gallery("dog"),
    });
    await page.getByLabel("Notebook file").setInputFiles(file);
    await expectSeen(notices(page).getByText(/pictures\/apple\.png is no picture the browser can/));
    await expectSeen(notices(page).getByText(`${name}: this picture is not what its name says`));
    await expectSeen(cell(page, "Prompt", "answer"));
  });

  it("from Jupyter, with the pictures in its texts, which go out again", async () => {
    const page = await playground.open();
    const base64 = (await gallery("apple")).toString("base64");
    const attachments = { "an apple.png": { "image/png": base64 } };
    const source = "# Pasted\n\n![an apple](attachment:an%20apple.png)";
    const cells = [
      { cell_type: "markdown", id: "a", metadata: {}, source, attachments },
      {
        cell_type: "code",
        id: "b",
        metadata: {},
        source: "x",
        outputs: [{ output_type: "stream" }],
      },
    ];
    const file = markdown(
      "pasted.ipynb",
      JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells }),
    );
    await page.getByLabel("Notebook file").setInputFiles(file);
    const shown = page.getByRole("img", { name: "an apple" });
    await expectSeen(shown);
    await shown.evaluate((image: HTMLImageElement) => image.decode());
    await expectSeen(notices(page).getByText("cell 2: what it printed is left out"));
    const again = JSON.parse(await readFile(await download(page, "Download for Jupyter"), "utf8"));
    expect(again.cells[0]).toMatchObject({ source: source.split(/(?<=\n)/), attachments });
  });
});

describe("files dropped on the page", () => {
  it("become picture cells in their order, and what is no picture is named", async () => {
    const page = await playground.open();
    const before = await cellIds(page);
    const pdf = { name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1") };
    await drop(page, await picture("dog"), pdf, await picture("apple"));
    await expectSeen(
      notices(page).getByText("notes.pdf is neither a picture nor a notebook (.md, .ipynb, .zip)."),
    );
    expect(await cellIds(page)).toHaveLength(before.length + 2);
    const [dog, red] = await Promise.all(
      ["dog.png", "apple.png"].map((name) => page.getByRole("img", { name }).boundingBox()),
    );
    expect(dog?.y).toBeLessThan(red?.y ?? 0);
    await drop(page, await picture("dog"));
    await expectSeen(page.getByRole("img", { name: "dog.png" }).nth(1));
    expect(await page.getByText("notes.pdf").count()).toBe(0);
  });

  it("that belong to a missing picture leave the notebook as it was, and say what to do", async () => {
    const page = await playground.open();
    const missing = `\`\`\`picture gone\nfile: sha256:${"0".repeat(64)}\n\`\`\`\n`;
    await page.getByLabel("Notebook file").setInputFiles(markdown("gone.md", missing));
    await page.getByRole("button", { name: "More for this notebook" }).click();
    await page.getByRole("menuitem", { name: "Download for Jupyter" }).click();
    await expectSeen(page.getByText("drop the picture again").first());
  });
});
