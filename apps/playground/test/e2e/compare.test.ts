import { expect, it } from "vitest";
import { fromMarkdown } from "../../../../lib/notebook/src/index.ts";
import { toFragment } from "../../src/lib/notebook/urlState.ts";
import { hostPlayground } from "./hosted.ts";
import {
  cell,
  openExample,
  phone,
  runCell,
  screens,
  expectGone,
  expectSeen,
} from "./playground.ts";

const playground = hostPlayground();

it.each(screens)(
  "on a $name compares three ways of decoding side by side and marks where they part",
  async ({ name, size }) => {
    const page = await playground.open({ size });
    await openExample(page, "Decoding");
    const methods = cell(page, "Compare", "methods");
    await runCell(methods);
    expect(await methods.getByRole("region", { name: /^Answer of / }).count()).toBe(3);
    await expectSeen(
      methods
        .getByText(
          /^the same as greedy for \d+ tokens?, then different$|^differs from greedy from the start$/,
        )
        .first(),
    );
    expect(await methods.locator("mark").first().textContent()).toMatch(/^\[differs from here\]./);
    await methods.getByText("show tokens and where they part").click();
    await expectSeen(methods.locator(".token.first").first());
    await expectSeen(methods.getByText("Tokens per second").first());
    await playground.screenshot(page, `${name}-methods`);
  },
);

it.each(screens)(
  "on a $name compares three quantization levels: answers, scores under each other, sizes",
  async ({ name, size }) => {
    const page = await playground.open({ size });
    await openExample(page, "Quantization levels");
    const levels = cell(page, "Compare", "levels");
    await runCell(levels);
    expect(await levels.getByRole("region", { name: /^Answer of / }).count()).toBe(3);
    const scores = levels.getByRole("button", { name: /^Answer of (fp32|int8|int4) under / });
    expect(await scores.count()).toBe(9);
    expect(await levels.getByText(/KL ≥ \d\.\d+ nats/).count()).toBe(2);
    await expectSeen(levels.getByText("File size", { exact: false }).first());
    expect(await levels.locator(".chart circle").count()).toBe(3);
    expect(await levels.getByRole("img", { name: /^Queue .*, Image .*, Prefill / }).count()).toBe(
      3,
    );
    await levels
      .getByRole("region", { name: "Answer of fp32", exact: true })
      .scrollIntoViewIfNeeded();
    await playground.screenshot(page, `${name}-levels`);

    const accuracy = cell(page, "Evaluate", "accuracy");
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await runCell(accuracy);
    expect(await accuracy.getByRole("term").count()).toBeGreaterThanOrEqual(3);
    await expectSeen(cell(page, "Chart", "size").locator("circle").first());
  },
);

it("shows every token under every level without a click, and leads through the differences", async () => {
  const page = await playground.open();
  await openExample(page, "Quantization levels");
  const levels = cell(page, "Compare", "levels");
  await runCell(levels);
  const strip = levels.getByRole("region", { name: "Tokens of fp32 under every level" });
  const tokens = strip.locator(".token");
  expect(await tokens.first().locator("i").count()).toBe(3);
  expect(await strip.locator('.token[tabindex="0"]').count()).toBe(1);

  await tokens.first().focus();
  await page.keyboard.press("ArrowRight");
  const focused = strip.locator(".token:focus");
  expect(await focused.getAttribute("data-token")).toBe("1");
  expect(await focused.getAttribute("aria-label")).toMatch(/^token 2, .*fp32 .*int8 .*int4 /);
  await page.keyboard.press("ArrowDown");
  expect(Number(await focused.getAttribute("data-token"))).toBeGreaterThan(5);
  const popover = page.getByRole("dialog", { name: "Token under every level" });
  for (const level of ["fp32", "int8", "int4"])
    await expectSeen(popover.getByRole("rowheader", { name: level, exact: true }));
  await page.keyboard.press("Escape");
  await expectGone(popover);

  await strip.getByRole("button", { name: "Next difference" }).click();
  await expectSeen(popover.getByText("token", { exact: false }).first());
  await strip.getByRole("radio", { name: "change from fp32" }).check();
  await levels.getByRole("button", { name: /^Answer of int4 under int8/ }).click();
  await expectSeen(levels.getByRole("region", { name: "Tokens of int4 under every level" }));
  await expectSeen(levels.locator(".labels .looked", { hasText: "int8" }).first());
});

it("warns of a level the endpoint does not have, and compares the others all the same", async () => {
  const { notebook } = fromMarkdown(
    `---
format: tinygptv-notebook/1
title: levels
---

\`\`\`compare levels
columns:
  - label: fp32
    model: nano:fp32
  - label: int3
    model: nano:int3
  - label: int4
    model: nano:int4
---
Describe a dog.
\`\`\`
`,
    "levels",
  );
  const page = await playground.open({
    size: phone,
    path: `/compare#${toFragment(notebook)}`,
    expected: /status of 404/,
  });
  const levels = cell(page, "Compare", "levels");
  const missing = levels.getByRole("button", { name: /^int3.*this endpoint has no such level/ });
  await expectSeen(missing);
  expect(await levels.locator(".column-trigger.missing").count()).toBe(1);
  await missing.click();
  await expectSeen(page.getByText("This endpoint has no level nano:int3."));
  await page.keyboard.press("Escape");
  await levels.getByTitle("Run cell").click();
  await expectSeen(levels.getByRole("alert"));
  await expectSeen(levels.getByRole("region", { name: "Tokens of fp32 under every level" }));
  expect(await levels.getByRole("button", { name: /^Answer of .* under / }).count()).toBe(4);
  expect(await levels.locator(".chart circle").count()).toBe(2);
  await levels.locator(".token").first().click();
  await expectSeen(page.getByRole("dialog", { name: "Token under every level" }));
  await playground.screenshot(page, "phone-missing-level");
});

it("puts a comparison into an address that opens it again", async () => {
  const page = await playground.open();
  await openExample(page, "Decoding");
  await cell(page, "Compare", "methods").getByRole("link", { name: "Link" }).click();
  await expectSeen(page.getByRole("article", { name: "Compare methods" }));
  const before = page.url();
  await cell(page, "Compare", "methods").getByLabel("Question").click();
  await page.keyboard.type("now ");
  await page.waitForFunction((url) => location.href !== url, before);
  const other = await playground.open({
    path: new URL(page.url()).pathname + new URL(page.url()).hash,
  });
  await expectSeen(cell(other, "Compare", "methods").getByText("now ", { exact: false }).first());
});

it.each(screens)(
  "on a $name sweeps a grid of temperatures and seeds and draws it",
  async ({ size }) => {
    const page = await playground.open({ size });
    await openExample(page, "Decoding");
    const sweep = cell(page, "Sweep", "temperatures");
    await runCell(sweep);
    expect(await sweep.locator("td button").count()).toBe(12);
    await sweep.locator("td button").first().click();
    await expectSeen(sweep.getByRole("region", { name: "Inside temperature 0.2, seed 1" }));
    await expectSeen(cell(page, "Chart", "sureness").locator("circle").first());
  },
);

it.each(screens)(
  "on a $name pins a baseline and shows what a later run changed",
  async ({ size }) => {
    const page = await playground.open({ size });
    const prompt = cell(page, "Prompt", "answer");
    await runCell(prompt);
    await prompt.getByRole("button", { name: "Pin as baseline" }).click();
    await prompt.getByLabel("Question").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("Describe this image.");
    await runCell(prompt);
    await expectSeen(
      prompt
        .getByRole("region", { name: "Compared with the pinned baseline" })
        .locator("ins")
        .first(),
    );
    await expectSeen(prompt.getByRole("columnheader", { name: "Tokens per second" }));
  },
);

it("evaluates a small set", async () => {
  const page = await playground.open();
  await openExample(page, "Grounding");
  const boxes = cell(page, "Evaluate", "boxes");
  await runCell(boxes);
  await expectSeen(boxes.getByText("100 %"));
});
