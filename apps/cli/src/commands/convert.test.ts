import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const micro = "test/fixtures/micro-stage4";

it("converts a folder of published files and tells what it made", async () => {
  const out = folder.path("micro");
  const args = ["convert", "--from", micro, "--out", out, "--name", "micro", "--json"];
  const { end, stdout, stderr } = await runCli(args);
  expect({ end, stderr }).toEqual({ end: 0, stderr: "" });
  const manifest = JSON.parse(await readFile(`${out}/manifest.json`, "utf8"));
  expect(JSON.parse(stdout)).toMatchObject({
    out,
    name: "micro",
    levels: ["fp32"],
    copies: { bytes: 0 },
  });
  expect(manifest).toMatchObject({ name: "micro", config: { vision: { imageSize: 112 } } });
});

it("takes the files one by one, and leaves alone what is there unless forced", async () => {
  const out = folder.path("single");
  const args = [
    ["convert", "--out", out, "--config", `${micro}/model.json`],
    ["--phi", `${micro}/phi-2-bin`, "--vision", `${micro}/eva_vit_g.pth`],
    ["--qformer", `${micro}/blip2_pretrained_flant5xxl.pth`],
    ["--checkpoint", `${micro}/TinyGPT-V_for_Stage4.pth`],
  ];
  const first = await runCli(args);
  expect(first).toMatchObject({ end: 0, stdout: "" });
  expect(first.stderr).toMatch(
    /^token-embeddings\.bin +[\d.]+ kB\nvision\/float32\.onnx +[\d.]+ kB\n[^]*^to write: [\d.]+ MB; free on the disk: .*\nabout [\d.]+ s on two cores\n/m,
  );
  const again = await runCli(args);
  expect(again).toMatchObject({ end: 1, stdout: "" });
  expect(again.stderr).toMatch(/^error: .*use --force to replace it\n$/);
  expect(await runCli([...args, "--force"])).toMatchObject({ end: 0 });
});

it("says which files it was not given", async () => {
  const args = ["convert", "--phi", `${micro}/phi-2`, "--vision", "v", "--out", folder.path("no")];
  expect(await runCli(args)).toEqual({
    end: 2,
    stdout: "",
    stderr:
      "error: sources: want --from, or all four files, got none for --qformer, --checkpoint\n",
  });
});

it("names the file that is damaged and makes nothing", async () => {
  const damaged = folder.path("damaged.pth");
  await writeFile(damaged, "no checkpoint");
  const out = folder.path("of-damaged");
  const args = ["convert", "--from", micro, "--checkpoint", damaged, "--out", out];
  const { end, stderr } = await runCli(args);
  expect(end).toBe(1);
  expect(stderr).toContain(`error: ${damaged}`);
  expect(existsSync(out)).toBe(false);
});

it("leaves nothing behind when interrupted", async () => {
  await mkdir(folder.path("interrupted"));
  const out = folder.path("interrupted", "nano");
  const args = ["convert", "--from", "models/nano/checkpoint", "--out", out];
  const { end, stderr } = await runCli(args, async (child) => {
    while (readdirSync(folder.path("interrupted")).length === 0) await sleep(2);
    child.kill("SIGINT");
  });
  expect(end).toBe(130);
  expect(stderr).toMatch(/^error: aborted by the caller\n$/m);
  expect(await readdir(folder.path("interrupted"))).toEqual([]);
});
