/** Pictures and files dropped and pasted as a person does: by real drags, on the place where they are wanted. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import { cell, desktop, expectGone, expectSeen, openNew, runCell, screens } from "./playground.ts";

const playground = hostPlayground();

const galleryFile = (name: string): string =>
  fileURLToPath(new URL(`../../../../models/nano/gallery/${name}.png`, import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drops-"));
});

/** A file of this content in a folder of its own. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

type DragStep = "dragEnter" | "dragOver" | "drop";

interface Place {
  x: number;
  y: number;
}

/** Drags files from outside the browser to a place; drops them unless told otherwise. */
async function drag(
  page: Page,
  place: Place,
  files: string[],
  steps: DragStep[] = ["dragEnter", "dragOver", "drop"],
): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of steps) await session.send("Input.dispatchDragEvent", { type, ...place, data });
  await session.detach();
}

/** The middle of something. */
async function middle(of: Locator): Promise<Place> {
  await of.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await of.boundingBox())!;
  return { x: x + width / 2, y: y + height / 2 };
}

/** Beside the cells, wherever the page is scrolled to. */
async function margin(page: Page): Promise<Place> {
  return { x: (await page.locator("main").boundingBox())!.x + 3, y: 300 };
}

const notices = (page: Page): Locator => page.getByRole("region", { name: "Notices" });

/** What the question asks about, by the chips before it. */
const asked = (of: Locator): Locator => of.locator(".chip");

/** The picture a picture cell shows, as the browser knows it. */
const sizeOf = (of: Locator): Promise<{ width: number; height: number; type: string }> =>
  of.getByRole("img").evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    const head = new Uint8Array(await (await fetch(image.src)).arrayBuffer()).subarray(1, 4);
    const type = new TextDecoder("latin1").decode(head);
    return { width: image.naturalWidth, height: image.naturalHeight, type };
  });

async function copyPicture(page: Page, name: string): Promise<void> {
  const base64 = (await readFile(galleryFile(name))).toString("base64");
  await page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const type = "image/png";
    await navigator.clipboard.write([new ClipboardItem({ [type]: new Blob([bytes], { type }) })]);
  }, base64);
}

describe.each(screens)("a picture dropped on a $name", ({ name, size }) => {
  it("into an empty notebook makes picture and question, and is asked about", async () => {
    const page = await playground.open({ size });
    await openNew(page);
    await drag(page, await margin(page), [galleryFile("apple")]);
    const prompt = cell(page, "Prompt", "answer");
    await expectSeen(cell(page, "Picture", "apple").getByRole("img", { name: "apple.png" }));
    await expectSeen(asked(prompt).getByText("apple"));
    await prompt.getByLabel("Question", { exact: true }).click();
    await page.keyboard.type("what is this?");
    await playground.screenshot(page, `${name}-dropped`);
    await runCell(prompt);
    expect(await prompt.locator(".answer p.answer").innerText()).toBe("an apple");
    for (let i = 0; i < 2; i++) await page.keyboard.press("Escape");
    await page.keyboard.press("Control+z");
    await expectSeen(page.getByText("An empty notebook"));
  });

  it("on the text of a question goes into that question, and so does one pasted there", async () => {
    const page = await playground.open({ size });
    const place = cell(page, "Prompt", "place");
    const question = place.getByLabel("Question", { exact: true });
    const text = await question.innerText();
    const before = await asked(place).count();
    await drag(page, await middle(question), [galleryFile("pizza")], ["dragEnter", "dragOver"]);
    await expectSeen(page.getByText("Drop a picture into the question place"));
    await playground.screenshot(page, `${name}-dragging`);
    await drag(page, await middle(question), [galleryFile("pizza")], ["drop"]);
    await expectGone(page.getByText("Drop a picture into"));
    await expectSeen(asked(place).getByText("pizza"));
    await copyPicture(page, "apple");
    await question.click();
    await page.keyboard.press("Control+v");
    await expectSeen(asked(place).getByText("picture", { exact: true }));
    expect(await asked(place).count()).toBe(before + 2);
    expect(await question.innerText()).toBe(text);
  });

  it("can be added to any question: from those there are, a file, the gallery or the webcam", async () => {
    const page = await playground.open({ size });
    await openNew(page);
    await page
      .getByRole("button", { name: /^Prompt/ })
      .first()
      .click();
    const prompt = cell(page, "Prompt", "answer");
    const add = prompt.getByRole("button", { name: "Add a picture" });
    await add.click();
    await playground.screenshot(page, `${name}-add-picture`);
    await page.getByRole("menuitem", { name: "Example: pizza", exact: true }).click();
    await expectSeen(asked(prompt).getByText("pizza"));
    await prompt.getByLabel("Picture to ask about").setInputFiles(galleryFile("apple"));
    await expectSeen(asked(prompt).getByText("apple"));
    await add.click();
    await page.getByRole("menuitem", { name: "From the webcam…" }).click();
    await page.getByRole("button", { name: "Take picture" }).click();
    await expectSeen(asked(prompt).getByText("webcam"));
    await prompt.getByRole("button", { name: "Ask without pizza" }).click();
    await add.click();
    await expectSeen(page.getByRole("menuitem", { name: "pizza", exact: true }).locator("img"));
  });
});

describe("what is no picture", () => {
  it("opens where it is a notebook, also on a question; anything else is told, where one is", async () => {
    const page = await playground.open();
    const last = cell(page, "Prompt", "named");
    await drag(page, await middle(last.getByLabel("Question", { exact: true })), [
      await file("notes.txt", "hello"),
    ]);
    const told = notices(page).getByText("notes.txt is neither a picture nor a notebook");
    await expectSeen(told);
    const { y, height } = (await told.boundingBox())!;
    expect(y).toBeGreaterThan(0);
    expect(y + height).toBeLessThanOrEqual(desktop.height);
    await notices(page).getByRole("button", { name: "Dismiss" }).click();
    await expectGone(told);
    expect(await last.innerText()).not.toContain("hello");
    const notebook = await file(
      "dropped.md",
      "# Dropped here\n\n```prompt mine\n---\nwhat?\n```\n",
    );
    await drag(page, await middle(last.getByLabel("Question", { exact: true })), [notebook]);
    await expectSeen(page.getByRole("heading", { level: 1, name: "Dropped here" }));
    await expectSeen(cell(page, "Prompt", "mine"));
  });

  it("is text where text lies beside it", async () => {
    const page = await playground.open();
    const question = cell(page, "Prompt", "place").getByLabel("Question", { exact: true });
    await question.click();
    await page.keyboard.press("Control+a");
    await question.evaluate((field) => {
      const data = new DataTransfer();
      data.setData("text/plain", "from a table");
      data.items.add(new File([new Uint8Array(4)], "image.png", { type: "image/png" }));
      field.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
      );
    });
    await expectSeen(question.getByText("from a table"));
    expect(await asked(cell(page, "Prompt", "place")).count()).toBe(1);
  });
});

describe("a picture the endpoint would refuse", () => {
  /** An uncompressed picture of one colour, as old programs write it. */
  function bmp(width: number, height: number): Uint8Array {
    const row = 4 * Math.ceil((3 * width) / 4);
    const bytes = new Uint8Array(54 + row * height).fill(80);
    const view = new DataView(bytes.buffer);
    bytes.fill(0, 0, 54);
    bytes.set([0x42, 0x4d]);
    for (const [at, value] of [
      [2, bytes.length],
      [10, 54],
      [14, 40],
      [18, width],
      [22, height],
    ])
      view.setUint32(at ?? 0, value ?? 0, true);
    view.setUint16(26, 1, true);
    view.setUint16(28, 24, true);
    return bytes;
  }
  /** An icon with one picture in it. */
  function ico(png: Uint8Array): Uint8Array {
    const head = new DataView(new ArrayBuffer(22));
    for (const [at, value] of [
      [2, 1],
      [4, 1],
      [6, 0x2020],
      [10, 1],
      [12, 32],
    ])
      head.setUint16(at ?? 0, value ?? 0, true);
    head.setUint32(14, png.length, true);
    head.setUint32(18, 22, true);
    return Buffer.concat([new Uint8Array(head.buffer), png]);
  }
  const plain = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: "#c33" } });

  it("is scaled, turned and written anew when it is dropped, and can be asked about", async () => {
    const page = await playground.open();
    await openNew(page);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><script>document.title = "run"</script><rect width="200" height="100" fill="red"/></svg>`;
    const large = await plain(8000, 5200).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const cases: [string, Uint8Array | string, { width: number; height: number; type: string }][] =
      [
        [
          "wide.png",
          await plain(12000, 9000).png().toBuffer(),
          { width: 2048, height: 1536, type: "PNG" },
        ],
        ["turned.jpg", large, { width: 1331, height: 2048, type: "\u00d8\u00ff\u00e0" }],
        ["old.bmp", bmp(40, 30), { width: 40, height: 30, type: "PNG" }],
        [
          "site.ico",
          ico(await plain(32, 32).png().toBuffer()),
          { width: 32, height: 32, type: "PNG" },
        ],
        ["drawing.svg", svg, { width: 1024, height: 512, type: "PNG" }],
      ];
    for (const [name, content, size] of cases) {
      await drag(page, await margin(page), [await file(name, content)]);
      const own = cell(page, "Picture", name.replace(/\..*/, ""));
      await expectSeen(own.getByRole("img", { name }));
      expect(await sizeOf(own)).toEqual(size);
      await expectSeen(notices(page).getByText(`${name} (`));
    }
    await playground.screenshot(page, "scaled");
    const prompt = cell(page, "Prompt", "answer");
    await prompt.getByLabel("Question", { exact: true }).click();
    await page.keyboard.type("what is this?");
    await runCell(prompt);
  });

  it("is refused at once with a way forward where the browser cannot read it", async () => {
    const page = await playground.open();
    const heic = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");
    const cases: [string, Uint8Array, RegExp][] = [
      ["phone.heic", heic, /phone\.heic is a HEIC picture, .* Export it as JPEG or PNG/],
      [
        "scan.tiff",
        await plain(4, 4).tiff().toBuffer(),
        /scan\.tiff is a TIFF picture, .* Export it/,
      ],
      [
        "cut.png",
        (await plain(400, 300).png().toBuffer()).subarray(0, 60),
        /cut\.png is (damaged|no pict)/,
      ],
    ];
    const before = await page.locator("[data-cell]").count();
    for (const [name, content, message] of cases) {
      await drag(page, await margin(page), [await file(name, content)]);
      await expectSeen(notices(page).getByText(message));
    }
    expect(await page.locator("[data-cell]").count()).toBe(before);
  });

  it("is kept byte for byte where it is none of those", async () => {
    const page = await playground.open();
    await openNew(page);
    for (const [name, bytes] of [
      ["photo.jpg", await plain(300, 200).jpeg().withMetadata({ orientation: 6 }).toBuffer()],
      ["shot.webp", await plain(300, 200).webp().toBuffer()],
    ] as const) {
      await drag(page, await margin(page), [await file(name, bytes)]);
      const image = cell(page, "Picture", name.replace(/\..*/, "")).getByRole("img", { name });
      await expectSeen(image);
      const kept = await image.evaluate(async (shown: HTMLImageElement) => [
        ...new Uint8Array(await (await fetch(shown.src)).arrayBuffer()),
      ]);
      expect(Buffer.from(kept).equals(bytes)).toBe(true);
    }
  });
});
