import { copyFile, mkdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const micro = "test/fixtures/micro-stage4";
const stageFile = "TinyGPT-V_for_Stage4.pth";

it("lists the tensors of a file and what a conversion needs besides", async () => {
  const { end, stdout } = await runCli(["inspect", `${micro}/${stageFile}`]);
  expect(end).toBe(0);
  expect(stdout).toMatch(/^llama_proj\.weight +float32 +\[40,36\]$/m);
  expect(stdout).toContain("a TinyGPT-V stage file");
  expect(stdout).toContain("for a conversion also needed: phi, vision, qformer");
});

it.each([
  ["micro-stage4/phi-2-bin", "fused"],
  ["micro-stage3/phi-2", "separate"],
])("tells the layout of %s", async (name, layout) => {
  const { stdout } = await runCli(["inspect", `test/fixtures/${name}`, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ kind: "weights", weights: { role: "phi", layout } });
});

it("says whether a folder can be converted", async () => {
  const { end, stdout } = await runCli(["inspect", micro]);
  expect(end).toBe(0);
  expect(stdout).toContain("can be converted: pictures of 112 pixels, 3 vision blocks of 48");
});

it("says what is missing in a folder", async () => {
  await mkdir(folder.path("part"));
  await copyFile(`${micro}/${stageFile}`, folder.path("part", stageFile));
  const { end, stdout } = await runCli(["inspect", folder.path("part")]);
  expect(end).toBe(0);
  expect(stdout).toContain("missing: phi, vision, qformer");
  expect(stdout).toContain("cannot be converted: ");
});

it("refuses what is no checkpoint, by name", async () => {
  const picture = "test/fixtures/preprocess/photo.jpg";
  const { end, stderr } = await runCli(["inspect", picture]);
  expect(end).toBe(1);
  expect(stderr).toMatch(new RegExp(`^error: ${picture}: want a file of torch.save`));
});
