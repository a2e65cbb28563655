import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import {
  cell,
  openExample,
  runCell,
  startPlayground,
  type Playground,
  expectSeen,
} from "./playground.ts";

let playground: Playground;
beforeAll(async () => {
  playground = await startPlayground();
});
afterEach(() => playground.assertQuiet());
afterAll(() => playground.close());

it("compares three ways of decoding side by side and marks where they part", async () => {
  const page = await playground.open();
  await openExample(page, "Decoding");
  const methods = cell(page, "Compare", "methods");
  await runCell(methods);
  expect(await methods.getByRole("region", { name: /^Answer of / }).count()).toBe(3);
  await expectSeen(methods.getByText(/^parts from greedy at token \d+$/).first());
  await methods.getByText("show tokens and where they part").click();
  await expectSeen(methods.locator(".token.first").first());
  await expectSeen(methods.getByText("Tokens per second").first());
  await playground.screenshot(page, "compare");
});

it("compares three quantization levels: answers, scores under each other, sizes", async () => {
  const page = await playground.open();
  await openExample(page, "Quantization levels");
  const levels = cell(page, "Compare", "levels");
  await runCell(levels);
  expect(await levels.getByRole("region", { name: /^Answer of / }).count()).toBe(3);
  const scores = levels.getByRole("button", { name: /^Answer of (fp32|int8|int4) under / });
  expect(await scores.count()).toBe(9);
  await levels.getByRole("button", { name: /^Answer of fp32 under int4/ }).click();
  await expectSeen(levels.getByText("Answer of fp32, token by token under int4:"));
  expect(await levels.getByText(/KL ≥ \d\.\d+ nats/).count()).toBe(2);
  await expectSeen(levels.getByText("File size", { exact: false }).first());
  await playground.screenshot(page, "levels");

  const accuracy = cell(page, "Evaluate", "accuracy");
  await runCell(accuracy);
  expect(await accuracy.getByRole("term").count()).toBeGreaterThanOrEqual(3);
  await expectSeen(cell(page, "Chart", "size").locator("circle").first());
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

it("sweeps a grid of temperatures and seeds and draws it", async () => {
  const page = await playground.open();
  await openExample(page, "Decoding");
  const sweep = cell(page, "Sweep", "temperatures");
  await runCell(sweep);
  expect(await sweep.locator("td button").count()).toBe(12);
  await sweep.locator("td button").first().click();
  await expectSeen(sweep.getByRole("region", { name: "Inside temperature 0.2, seed 1" }));
  await expectSeen(cell(page, "Chart", "sureness").locator("circle").first());
});

it("pins a baseline and shows what a later run changed", async () => {
  const page = await playground.open();
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
});

it("evaluates a small set", async () => {
  const page = await playground.open();
  await openExample(page, "Grounding");
  const boxes = cell(page, "Evaluate", "boxes");
  await runCell(boxes);
  await expectSeen(boxes.getByText("100 %"));
});
