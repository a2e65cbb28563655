import type { Locator, Page } from "playwright-core";
import { cellSchema } from "@tinygptv/notebook";
import { describe, expect, it } from "vitest";
import { toFragment } from "../../src/lib/notebook/urlState.ts";
import { hostPlayground } from "./hosted.ts";
import { cell, expectGone, expectSeen, openExample, runCell, screens } from "./playground.ts";

const playground = hostPlayground();

/** The first prompt of the first notebook, selected, and its settings. */
async function openSettings(
  page: Page,
): Promise<{ prompt: Locator; inspector: Locator; answer: () => Promise<string> }> {
  const prompt = cell(page, "Prompt", "answer");
  await prompt.getByTitle("Settings of this cell").click();
  const inspector = page.getByRole("complementary", { name: "Settings of the cell" });
  await inspector.getByText(/^More/).click();
  return { prompt, inspector, answer: () => prompt.locator(".answer p.answer").innerText() };
}

/** Types into a field and leaves it. */
async function fill(field: Locator, text: string): Promise<void> {
  await field.fill(text);
  await field.blur();
}

describe("settings that reach the model", () => {
  it("a JSON Schema makes the answer JSON", async () => {
    const page = await playground.open();
    const { prompt, inspector, answer } = await openSettings(page);
    await inspector.getByRole("button", { name: "Insert example" }).click();
    await expectSeen(inspector.getByText("valid", { exact: true }));
    const sent = page.waitForRequest((request) => request.url().endsWith("/v1/chat/completions"));
    await runCell(prompt);
    expect((await sent).postDataJSON()).toMatchObject({
      response_format: { type: "json_schema", json_schema: { schema: { type: "object" } } },
    });
    expect(JSON.parse(await answer())).toEqual({
      object: expect.any(String),
      count: expect.any(Number),
    });
  });

  it("a kept seed gives the same answer again", async () => {
    const page = await playground.open();
    const { prompt, inspector, answer } = await openSettings(page);
    await inspector.getByRole("radio", { name: "Sampling" }).check();
    await fill(inspector.getByRole("spinbutton", { name: "Temperature, value" }), "2");
    await runCell(prompt);
    const first = await answer();
    const drawn = /seed (\d+)/.exec(await prompt.locator(".summary").last().innerText())?.[1];
    await prompt.getByRole("button", { name: "Keep this seed" }).click();
    await expectGone(prompt.getByRole("button", { name: "Keep this seed" }));
    expect(await inspector.getByRole("spinbutton", { name: "Seed" }).inputValue()).toBe(drawn);
    await runCell(prompt);
    expect(await answer()).toBe(first);
  });

  it("a forbidden token leaves the answer", async () => {
    const page = await playground.open();
    const { prompt, inspector, answer } = await openSettings(page);
    await runCell(prompt);
    const before = await answer();
    await prompt.getByRole("button", { name: "Tokens" }).click();
    await prompt.locator(".token").last().click();
    const caption = await page.locator(".token-popover .caption").innerText();
    await page.keyboard.press("Escape");
    const id = /id (\d+)/.exec(caption)?.[1] ?? "";
    await inspector.getByRole("textbox", { name: "Token id" }).fill(id);
    await inspector.getByRole("button", { name: "Add", exact: true }).click();
    await expectSeen(inspector.getByRole("spinbutton", { name: `Bias of token ${id}` }));
    await runCell(prompt);
    expect(await answer()).not.toBe(before);
    await inspector.getByRole("button", { name: `No bias for token ${id}` }).click();
    await runCell(prompt);
    expect(await answer()).toBe(before);
  });

  it("a stop text ends the answer", async () => {
    const page = await playground.open();
    const { prompt, inspector, answer } = await openSettings(page);
    await fill(inspector.getByLabel("Stop texts"), "dog");
    await runCell(prompt);
    expect(await answer()).toBe("a ");
  });
});

describe("settings that are refused", () => {
  it("says so at the control, and goes on with what it had", async () => {
    const page = await playground.open();
    const { prompt, inspector } = await openSettings(page);
    await inspector.getByRole("radio", { name: "Sampling" }).check();
    const temperature = inspector.getByRole("spinbutton", { name: "Temperature, value" });
    await fill(temperature, "9");
    await expectSeen(
      inspector.getByText("Temperature: expected a number from 0 to 2, but found 9."),
    );
    await fill(temperature, "0.5");
    await expectGone(inspector.getByText(/^Temperature: expected/));

    await inspector.getByLabel("Lock the seed").check();
    const seed = inspector.getByRole("spinbutton", { name: "Seed" });
    await fill(seed, "0.5");
    await expectSeen(
      inspector.getByText(/^Seed: expected a whole number from -\d+ to \d+, but found 0\.5\.$/),
    );
    await fill(seed, "4294967295");
    await expectSeen(prompt.getByText("temperature 0.5 · seed 4294967295"));

    await inspector.getByRole("textbox", { name: "Token id" }).fill("dog");
    await page.keyboard.press("Enter");
    const refused = inspector.getByText("Logit bias: expected the id of a token, but found dog.");
    await expectSeen(refused);
    await fill(inspector.getByLabel("Bad words"), "cat");
    await expectSeen(refused);

    await fill(inspector.getByLabel("JSON Schema"), '{ "pattern": "a" }');
    await expectSeen(
      inspector.getByText("JSON Schema: /pattern: this keyword is not supported", { exact: false }),
    );
  });

  it("tells of settings at odds before anything runs, and resets one", async () => {
    const page = await playground.open();
    const { inspector } = await openSettings(page);
    await fill(inspector.getByRole("spinbutton", { name: "Longest answer, value" }), "8");
    await fill(inspector.getByRole("spinbutton", { name: "Shortest answer, value" }), "9");
    const told = inspector.getByText(
      "Shortest answer: expected at most Longest answer (8), but found 9.",
    );
    await expectSeen(told);
    await inspector.getByRole("button", { name: "Reset to default (0): Shortest answer" }).click();
    await expectGone(told);

    await inspector.getByRole("radio", { name: "Beam search" }).check();
    await fill(inspector.getByRole("spinbutton", { name: "Beams, value" }), "2");
    await fill(inspector.getByRole("spinbutton", { name: "Answers shown, value" }), "3");
    await expectSeen(
      inspector.getByText("Answers shown: expected at most Beams (2), but found 3."),
    );
  });

  it("refuses axis values that are not in the table", async () => {
    const page = await playground.open();
    await openExample(page, "Decoding");
    const sweep = cell(page, "Sweep", "temperatures");
    await sweep.getByLabel("Parameter to vary").first().selectOption("method");
    await fill(sweep.getByLabel("Values of Method"), "greedy, dance");
    await expectSeen(
      sweep.getByText("Method: expected one of greedy, sample, beam, but found dance."),
    );
  });

  it("names a level the endpoint does not have, and a schema that is none", async () => {
    const asked = cellSchema.parse({
      type: "compare",
      id: "c",
      name: "levels",
      model: "other:int8",
      columns: [{ label: "one" }],
      decoding: { jsonSchema: "[]" },
    });
    const page = await playground.open({
      path: `/compare#${toFragment({ title: "t", cells: [asked] })}`,
    });
    await cell(page, "Compare", "levels").getByTitle("Settings of this cell").click();
    const level = page.getByLabel("Level of this cell");
    expect(await level.locator("option:checked").innerText()).toBe(
      "other:int8 (not at this endpoint)",
    );
    await page.getByText("More · 1 set").click();
    await expectSeen(page.getByText("JSON Schema: expected a schema, but found []."));
  });
});

describe.each(screens)("on a $name", ({ name, size }) => {
  it("the settings of each method fit the panel", async () => {
    const page = await playground.open({ size });
    const { inspector } = await openSettings(page);
    for (const method of ["Greedy", "Sampling", "Beam search"]) {
      await inspector.getByRole("radio", { name: method }).check();
      await playground.screenshot(page, `settings-${name}-${method.split(" ")[0]?.toLowerCase()}`);
      expect(
        await inspector.evaluate((panel) => panel.scrollWidth - panel.clientWidth),
      ).toBeLessThanOrEqual(0);
    }
  });
});
