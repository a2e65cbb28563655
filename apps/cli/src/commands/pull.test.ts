import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { publishedFiles } from "../pull/publishedFiles.ts";
import { fileServer } from "../../../../lib/transfer/src/testing/fileServer.ts";
import { runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const mirror = fileServer();
const stageFile = "TinyGPT-V_for_Stage4.pth";
const contentOf = (path: string) => Buffer.from(`content of ${path}`.repeat(500));
const sha256Of = (content: Buffer) => createHash("sha256").update(content).digest("hex");

/** Puts all files of stage 4 on the mirror, but for one that is optional. */
function serveAll(): string[] {
  mirror.files.clear();
  const paths = publishedFiles("4").map(({ path }) => path);
  const served = paths.filter((path) => path !== "phi-2/generation_config.json");
  for (const path of served)
    mirror.files.set(path, { content: contentOf(path), etag: `"${path}"` });
  return paths;
}

const pull = (...more: string[]) => runCli(["pull", "--base-url", mirror.url(), "--json", more]);

it("downloads all files, with licences, checksums and what went wrong on the way", async () => {
  const paths = serveAll();
  mirror.files.get(stageFile)!.faults = [{ dropAfter: 3000 }];
  const out = folder.path("all");
  const { end, stdout, stderr } = await pull("--out", out);
  expect(end).toBe(0);
  expect(stderr).toContain(
    `${paths.length} files for ${out}: ${paths.length} of a size that only the server knows, 0 there already`,
  );
  expect(stderr).toContain("phi-2/generation_config.json: not published there");
  expect(stderr).toContain("eva_vit_g.pth (EVA, BAAI: MIT licence");
  expect(stderr).toMatch(/TinyGPT-V_for_Stage4\.pth: .*; again in 1\.00 s/);
  for (const path of mirror.files.keys()) {
    expect(await readFile(`${out}/${path}`)).toEqual(contentOf(path));
  }
  const sums = await readFile(`${out}/SHA256SUMS`, "utf8");
  expect(sums).toContain(`${sha256Of(contentOf(stageFile))}  ${stageFile}\n`);
  const results = JSON.parse(stdout);
  expect(results.map((result: { path: string }) => result.path)).toEqual(paths);
  expect(results[0]).toMatchObject({ status: "downloaded", verified: false });
});

it("downloads only what is not there", async () => {
  serveAll();
  const before = mirror.requests.length;
  const { end, stderr } = await pull("--out", folder.path("all"));
  expect(end).toBe(0);
  expect(stderr).toContain(`${stageFile}: there already`);
  const asked = mirror.requests.slice(before).map(({ path }) => path);
  expect(asked).toEqual(["SHA256SUMS", "phi-2/generation_config.json"]);
});

it("checks what a list beside the files says, and what the caller says", async () => {
  serveAll();
  const wrong = "0".repeat(64);
  const config = "phi-2/config.json";
  mirror.files.set("SHA256SUMS", { content: Buffer.from(`${wrong}  ${config}\n`) });
  const served = await pull("--out", folder.path("checked"));
  expect(served.end).toBe(1);
  expect(served.stderr).toContain(`config.json: sha256: want ${wrong}, got`);

  const right = sha256Of(contentOf(config));
  const given = await pull("--out", folder.path("checked"), "--sha256", `${config}=${right}`);
  expect(given.stderr).toContain(`${config}: 14.0 kB, checksum as expected`);
});

it("does not take a damaged file for one that is there", async () => {
  serveAll();
  const config = "phi-2/config.json";
  await pull("--out", folder.path("damaged"));
  await writeFile(folder.path("damaged", config), "damaged");
  const sum = sha256Of(contentOf(config));
  const { end, stderr } = await pull(
    "--out",
    folder.path("damaged"),
    "--sha256",
    `${config}=${sum}`,
  );
  expect(end).toBe(1);
  expect(stderr).toContain(`${config}: sha256: want ${sum}, got`);
  expect(stderr).toContain("remove it to download it again");
});

it("keeps the part when interrupted", async () => {
  serveAll();
  mirror.files.get(stageFile)!.faults = [{ stallAfter: 5000 }];
  const out = folder.path("all");
  await rm(`${out}/${stageFile}`);
  const { end } = await runCli(
    ["pull", "--base-url", mirror.url(), "--out", out],
    async (child) => {
      const part = `${out}/${stageFile}.part`;
      while (statSync(part, { throwIfNoEntry: false })?.size !== 5000) await sleep(5);
      child.kill("SIGINT");
    },
  );
  expect(end).toBe(130);
  expect((await readFile(`${out}/${stageFile}.part`)).length).toBe(5000);
});

it.each([
  ["a stage there is not", ["--stage", "5"], "Allowed choices are 1, 2, 3, 4"],
  ["no URL", ["--base-url", "models"], "Want an http(s) URL, got models."],
  ["no checksum", ["--sha256", "eva_vit_g.pth=abc"], "Want file=sha256 with 64 hex digits"],
  [
    "a checksum of another file",
    ["--sha256", `x=${"0".repeat(64)}`],
    "sha256: want one of phi-2/config.json",
  ],
])("exits 2 on %s", async (_, args, message) => {
  const { end, stderr } = await runCli(["pull", "--out", folder.path("never"), args]);
  expect(end).toBe(2);
  expect(stderr).toContain(message);
});
