import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readText, whatWasRead } from "./readText.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "text-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("passes over a byte order mark, once", async () => {
  await writeFile(join(folder, "marked.json"), "\uFEFF\uFEFF{}");
  expect(await readText(join(folder, "marked.json"))).toBe("\uFEFF{}");
});

it("has words for what is no file", async () => {
  expect(await readText(folder).catch(whatWasRead)).toBe("a folder");
  expect(await readText(join(folder, "none")).catch(whatWasRead)).toBe("no such file");
});
