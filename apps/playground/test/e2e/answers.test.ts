import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import type { Page, Request } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  openExample,
  openMarkdown,
  openNew,
  runCell,
  screens,
  expectSeen,
  longAnswer,
} from "./playground.ts";

const playground = hostPlayground();

const apple = fileURLToPath(new URL("../../../../models/nano/gallery/apple.png", import.meta.url));

const twoPictures = `\`\`\`picture dog
file: ../models/nano/gallery/dog.png
\`\`\`

\`\`\`picture pizza
file: ../models/nano/gallery/pizza.png
\`\`\`

\`\`\`prompt both
pictures: [ dog, pizza ]
decoding: { maxNewTokens: 16 }
---
what is this?
\`\`\`
`;

interface ChatBody {
  messages: { role: string; content: unknown }[];
}

/** Drops a picture on an element, as a file manager does. */
async function dropPicture(page: Page, selector: string): Promise<void> {
  const base64 = (await readFile(apple)).toString("base64");
  const transfer = await page.evaluateHandle((data) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const drop = new DataTransfer();
    drop.items.add(new File([bytes], "apple.png", { type: "image/png" }));
    return drop;
  }, base64);
  await page.locator(selector).dispatchEvent("drop", { dataTransfer: transfer });
}

describe.each(screens)("asking on a $name", ({ name: screen, size }) => {
  it("takes a dropped picture, answers and says what it cost", async () => {
    const page = await playground.open({ size });
    await openNew(page);
    await dropPicture(page, "body");
    await expectSeen(
      page.getByRole("article", { name: "Picture apple", exact: true }).getByRole("img"),
    );
    const prompt = cell(page, "Prompt", "answer");
    await prompt.getByLabel("Question").click();
    await page.keyboard.type("what is this?");
    await page.keyboard.press("Control+Enter");
    await expectSeen(prompt.getByText("an apple", { exact: true }));
    await expectSeen(prompt.getByText("up to date"));
    expect(await prompt.locator(".summary").last().innerText()).toMatch(
      /^nano:fp32 · \d+ tokens · [\d.]+ m?s/,
    );

    await page.keyboard.type(" please");
    await expectSeen(prompt.getByText("changed since"));
  });

  it("stops a long answer and keeps what had arrived", async () => {
    const page = await playground.open({ size });
    await openMarkdown(page, longAnswer(1000), "long.md");
    const prompt = cell(page, "Prompt", "long");
    await prompt.getByTitle("Run cell").click();
    await expectSeen(prompt.locator(".answer p.answer"));
    await prompt.getByRole("button", { name: "Stop" }).click();
    await prompt.getByText("Stopped; this is what had arrived.").waitFor();
    await expectSeen(prompt.getByTitle("Run cell"));
  });

  it("draws boxes over the picture and uses one in the next question", async () => {
    const page = await playground.open({ size });
    const place = cell(page, "Prompt", "place");
    await runCell(place);
    await expectSeen(place.getByRole("img", { name: "1 boxes on the picture" }));
    await playground.screenshot(page, `${screen}-boxes`);
    expect(await place.locator("figure svg rect").count()).toBe(1);
    const named = cell(page, "Prompt", "named");
    await runCell(named);
    expect(await named.locator(".answer p.answer").innerText()).toBe("dog");
  });

  it("asks on, round after round, about several pictures", async () => {
    const page = await playground.open({ size });
    await openMarkdown(page, twoPictures, "two.md");
    const prompt = cell(page, "Prompt", "both");
    await prompt.getByRole("button", { name: "Ask on" }).click();
    await prompt.getByLabel("Question, round 2").click();
    await page.keyboard.type("what color is the background?");
    const sent: Request[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/v1/chat/completions")) sent.push(request);
    });
    await runCell(prompt);
    expect(await prompt.locator(".answer p.answer").count()).toBe(2);
    const [first, second] = sent.map((request) => request.postDataJSON() as ChatBody);
    const parts = first.messages[0].content as { type: string }[];
    expect(parts.map(({ type }) => type)).toEqual(["image_url", "image_url", "text"]);
    expect(second.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(second.messages[1].content).toBe(
      (await prompt.locator(".answer p.answer").first().innerText()).trim(),
    );
  });

  it("runs what a cell needs before it", async () => {
    const page = await playground.open({ size });
    await runCell(cell(page, "Prompt", "named"));
    await expectSeen(cell(page, "Prompt", "place").getByText("up to date"));
  });
});

describe.each(screens)("looking inside an answer on a $name", ({ name: screen, size }) => {
  it("shows alternatives of a token and continues from one", async () => {
    const page = await playground.open({ size });
    const prompt = cell(page, "Prompt", "answer");
    await runCell(prompt);
    await prompt.getByRole("button", { name: "Tokens" }).click();
    await prompt.locator(".token").nth(1).click();
    const rivals = page.locator(".token-popover li button");
    await expectSeen(rivals.first());
    expect(await rivals.count()).toBe(5);
    const rival = (await rivals.nth(1).locator("code").innerText()).replace("␣", "");
    await playground.screenshot(page, `${screen}-alternatives`);
    await rivals.nth(1).click();
    const branch = cell(page, "Prompt", "answer2");
    await expectSeen(branch.getByText("up to date"));
    expect(await branch.locator(".answer p.answer").innerText()).toContain(rival);
  });

  it("shows beams, what the model saw, timings and the exact request", async () => {
    const page = await playground.open({ size });
    await openExample(page, "Decoding");
    const beams = cell(page, "Prompt", "beams");
    await runCell(beams);
    await beams.getByRole("button", { name: "4 beams" }).click();
    expect(await beams.locator("tbody tr").count()).toBe(4);
    await beams.getByRole("radio", { name: "Tree" }).check();
    await expectSeen(beams.locator(".tree").getByText("#1").first());
    await beams.getByRole("button", { name: "Model’s view" }).click();
    await expectSeen(beams.getByText("448 × 448 px resized to 140 × 140"));
    await expectSeen(beams.getByText("<ImageHere>").last());
    await beams.getByRole("button", { name: "Timings" }).click();
    await expectSeen(beams.getByText("Prefill"));
    await beams.getByRole("button", { name: "Request" }).click();
    const code = beams.locator("pre").last();
    expect(await code.innerText()).toContain('"num_beams": 4');
    for (const [language, mark] of [
      ["TypeScript", 'import OpenAI from "openai"'],
      ["Python", "extra_body={"],
    ] as const) {
      await beams.getByRole("radio", { name: language }).check();
      expect(await code.innerText()).toContain(mark);
    }
  });

  it("sends exactly the request it shows", async () => {
    const page = await playground.open({ size });
    const prompt = cell(page, "Prompt", "answer");
    const sent = page.waitForRequest((request) => request.url().endsWith("/v1/chat/completions"));
    await runCell(prompt);
    await prompt.getByRole("button", { name: "Request" }).click();
    const shown = await prompt.locator("pre").innerText();
    const json: unknown = JSON.parse(
      shown.slice(shown.indexOf("-d '") + 4, shown.lastIndexOf("'")),
    );
    expect(json).toEqual((await sent).postDataJSON());
  });
});
