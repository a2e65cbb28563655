import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import { cell, expectGone, expectSeen, openNew, runCell, screens } from "./playground.ts";

const playground = hostPlayground();

const apple = fileURLToPath(new URL("../../../../models/nano/gallery/apple.png", import.meta.url));

/** Copies the apple, as from a picture viewer. */
async function copyApple(page: Page): Promise<void> {
  const base64 = (await readFile(apple)).toString("base64");
  await page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const type = "image/png";
    await navigator.clipboard.write([new ClipboardItem({ [type]: new Blob([bytes], { type }) })]);
  }, base64);
}

/** An empty picture cell in a new notebook. */
async function emptyPicture(page: Page): Promise<Locator> {
  await openNew(page);
  await page.getByRole("button", { name: /^Picture/ }).click();
  return cell(page, "Picture", "picture");
}

describe.each(screens)("a picture on a $name", ({ name, size }) => {
  it("is pasted: into the cell that waits for one, then into one of its own", async () => {
    const page = await playground.open({ size });
    const picture = await emptyPicture(page);
    await copyApple(page);
    await picture.locator("header .kind").click();
    await page.keyboard.press("Control+v");
    await expectSeen(picture.getByRole("img", { name: "image.png" }));
    await page.keyboard.press("Control+v");
    await expectSeen(cell(page, "Picture", "picture2").getByRole("img", { name: "image.png" }));
    await picture.getByRole("button", { name: "Change picture" }).click();
    await picture.getByRole("button", { name: "Use pizza" }).click();
    await picture.getByRole("button", { name: "Change picture" }).focus();
    await page.keyboard.press("Control+v");
    await expectSeen(picture.getByRole("img", { name: "image.png" }));
    expect(await page.locator("article").count()).toBe(2);
  });

  it("is chosen from a file or the gallery, and what is no picture is refused", async () => {
    const page = await playground.open({ size });
    const picture = await emptyPicture(page);
    const file = picture.getByLabel("Picture file");
    await file.setInputFiles({
      name: "notes.png",
      mimeType: "image/png",
      buffer: Buffer.from("no picture"),
    });
    await expectSeen(picture.getByText("notes.png is no picture the browser can read"));
    await file.setInputFiles(apple);
    await expectSeen(picture.getByRole("img", { name: "apple.png" }));
    await picture.getByRole("button", { name: "Change picture" }).click();
    await picture.getByRole("button", { name: "Use pizza" }).click();
    await expectSeen(picture.getByRole("img", { name: "pizza" }));
  });

  it("comes from the camera", async () => {
    const page = await playground.open({ size });
    const picture = await emptyPicture(page);
    await picture.getByRole("button", { name: "Webcam" }).click();
    await picture.getByRole("button", { name: "Take picture" }).click();
    await expectSeen(picture.getByRole("img", { name: "picture" }));
    expect(
      await picture.getByRole("img").evaluate((image: HTMLImageElement) => image.naturalWidth),
    ).toBeGreaterThan(100);
    expect(await picture.locator("video").count()).toBe(0);
  });

  it("takes a box by hand, which goes into the question", async () => {
    const page = await playground.open({ size });
    const named = cell(page, "Prompt", "named");
    await named.scrollIntoViewIfNeeded();
    await named.getByRole("button", { name: "Draw a box" }).click();
    const dialog = page.getByRole("dialog");
    const image = dialog.getByRole("img", { name: "dog" });
    await expectSeen(image);
    const { x, y, width, height } = (await image.boundingBox())!;
    await page.mouse.move(x + 0.905 * width, y + 0.805 * height);
    await page.mouse.down();
    await page.mouse.move(x + 0.105 * width, y + 0.105 * height, { steps: 4 });
    await page.mouse.up();
    await expectSeen(dialog.getByText("{<10><10><90><80>}"));
    await dialog.getByLabel("bottom").fill("86");
    await dialog.getByLabel("bottom").press("Enter");
    await playground.screenshot(page, `${name}-box`);
    await dialog.getByRole("button", { name: "Put into the question" }).click();
    await expectGone(dialog);
    await expectSeen(named.getByText("what is in {{place.box}} {<10><10><90><86>}"));
    await named.getByLabel("Question").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("what is in {<10><10><90><86>}");
    await runCell(named);
    expect(await named.locator(".answer p.answer").innerText()).toBe("dog");
  });
});
