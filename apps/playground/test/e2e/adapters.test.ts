/** An adapter beside the model is one more thing to ask and to compare. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { fromMarkdown } from "../../../../lib/notebook/src/index.ts";
import { addRandomAdapter } from "../../../../test/support/randomAdapter.ts";
import { toFragment } from "../../src/lib/notebook/urlState.ts";
import { startServer } from "../support/server.ts";
import { hostPlayground } from "./hosted.ts";
import { cell, expectSeen, runCell } from "./playground.ts";

const playground = hostPlayground();
const program = (path: string) => fileURLToPath(new URL(path, import.meta.url));

it("is offered among the levels, and is a column beside the level without it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tinygptv-playground-"));
  const model = join(folder, "nano");
  await cp(program("../../../../models/nano/converted"), model, { recursive: true });
  await rm(join(model, "adapters"), { recursive: true, force: true });
  await addRandomAdapter(model, "tuned", { seed: 1 });
  const server = await startServer({}, [program("../../../cli/src/main.ts"), "serve", model]);
  onTestFinished(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const { notebook } = fromMarkdown(
    `---
format: tinygptv-notebook/1
title: adapters
---

\`\`\`compare both
columns:
  - label: before
    model: nano:int8
  - label: after
    model: nano:int8+tuned
---
Describe a dog.
\`\`\`
`,
    "adapters",
  );
  const path = `/compare#${toFragment(notebook)}`;
  const page = await playground.open({ origin: server.url, path });
  const both = cell(page, "Compare", "both");
  await runCell(both);
  for (const label of ["before", "after"])
    await expectSeen(both.getByRole("region", { name: `Answer of ${label}`, exact: true }));
  const [before, after] = await Promise.all(
    ["before", "after"].map((label) =>
      both.getByRole("region", { name: `Answer of ${label}`, exact: true }).innerText(),
    ),
  );
  expect(after).not.toBe(before);
  // Each answer is scored under the other, too.
  expect(await both.getByRole("button", { name: /^Answer of (before|after) under / }).count()).toBe(
    4,
  );
  const options = await page.getByLabel("Level", { exact: true }).first().innerText();
  expect(options).toContain("nano:int8+tuned");
});
