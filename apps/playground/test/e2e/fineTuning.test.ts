/** A cell that teaches the model the answers of an evaluation. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type Server } from "../support/server.ts";
import { hostPlayground } from "./hosted.ts";
import { cell, expectGone, expectSeen, openMarkdown, runCell, screens } from "./playground.ts";
import { violations } from "./violations.ts";

const playground = hostPlayground();
const program = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let home: string;
let server: Server;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tinygptv-fine-tuning-"));
  // What is trained is put beside the model.
  const model = join(home, "nano");
  await cp(program("../../../../models/nano/converted"), model, { recursive: true });
  const training = { TINYGPTV_TRAINING: join(home, "training") };
  const command = [
    program("../../../cli/src/main.ts"),
    "serve",
    model,
    "--allow-training",
  ] as const;
  server = await startServer(training, command);
});
afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

/** Five questions, so that one of them is kept aside. */
const notebook = (steps: number) => `\`\`\`picture dog
file: ../models/nano/gallery/dog.png
\`\`\`

\`\`\`picture apple
file: ../models/nano/gallery/apple.png
\`\`\`

\`\`\`evaluate colours
items:
${["dog", "apple", "dog", "apple", "dog"]
  .map(
    (name, i) =>
      `  - pictures: [ ${name} ]\n    prompt: "${i} What do you see?"\n    answer: a ${name}`,
  )
  .join("\n")}
\`\`\`

\`\`\`finetune tuned
source: colours
steps: ${steps}
rank: 2
model: nano:fp32
\`\`\`
`;

describe.each(screens)("on a $name", ({ name: screen, size }) => {
  it("says what it would take, trains, and is a column to compare", async () => {
    const page = await playground.open({ size, origin: server.url });
    await openMarkdown(page, notebook(10));
    const tuned = cell(page, "Fine-tune", "tuned");
    await tuned.getByRole("button", { name: "What would it take?" }).click();
    await expectSeen(tuned.getByText(/About (a second|\d+ seconds) for 10 steps, and 0\.\d GB/));

    await tuned.getByRole("button", { name: "Train", exact: true }).click();
    await tuned.getByText("Done · step 10 of 10").waitFor({ timeout: 90_000 });
    await expectSeen(tuned.getByRole("img", { name: /^Loss from [\d.]+ at step 1 to/ }));
    const table = tuned.getByRole("region", { name: "How the training went" });
    expect(await table.getByRole("columnheader").allInnerTexts()).toEqual([
      "Step",
      "Loss",
      "Held-out answers right",
    ]);
    expect(await violations(page, "html")).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      size.width,
    );
    await playground.screenshot(page, `${screen}-fine-tuning`);

    await tuned.getByRole("button", { name: "Compare with nano:fp32" }).click();
    const comparison = cell(page, "Compare", "comparison");
    await runCell(comparison);
    for (const column of ["before", "trained"])
      await expectSeen(
        comparison.getByRole("region", { name: `Answer of ${column}`, exact: true }),
      );
  }, 150_000);
});

it("is stopped, survives a reload and the end of its server, and goes on", async () => {
  const page = await playground.open({
    origin: server.url,
    expected: /Failed to (load|fetch)|ERR_|net::/,
  });
  await openMarkdown(page, notebook(120));
  const tuned = cell(page, "Fine-tune", "tuned");
  await tuned.getByRole("button", { name: "Train", exact: true }).click();
  // A tenth of all steps is saved.
  await expectSeen(tuned.getByText(/^Training · step [2-9]\d of 120/));
  await tuned.getByRole("button", { name: "Stop training" }).click();
  await expectSeen(tuned.getByText("Stopped: what was saved is kept"));
  await page.reload();
  await expectSeen(tuned.getByText(/^Stopped: .*step \d+ of 120/));
  await tuned.getByRole("button", { name: "Go on" }).click();
  await expectSeen(tuned.getByText(/^Training · step \d+ of 120/));
  await server.kill();
  await server.restart();
  await page.reload();
  // Training gets what others leave of the processor.
  await tuned.getByText("Done · step 120 of 120").waitFor({ timeout: 90_000 });
  await expectGone(tuned.getByRole("button", { name: "Stop training" }));
}, 150_000);

it("goes out with its figures, and says who can allow it", async () => {
  const page = await playground.open({ expected: /403/ });
  const figures = "figures:\n  - { step: 10, loss: 1.5, heldOut: 1 }\n";
  const text = notebook(10).replace("model: nano:fp32\n", `model: nano:fp32\n${figures}`);
  await openMarkdown(page, text);
  const tuned = cell(page, "Fine-tune", "tuned");
  await expectSeen(tuned.getByRole("cell", { name: "1.5" }));
  await tuned.getByRole("button", { name: "Train", exact: true }).click();
  await expectSeen(tuned.getByText(/training is not allowed here.*--allow-training/));
  await page.getByRole("button", { name: "More for this notebook" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Download as a web page" }).click(),
  ]);
  const html = await readFile(await download.path(), "utf8");
  expect(html).toContain("<th>Held-out answers right</th>");
  expect(html).toContain("10 steps over the answers of colours");
});
