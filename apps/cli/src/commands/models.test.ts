import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repository, runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const nano = join(repository, "models/nano/converted");

/** A copy of nano under a name of its own. */
async function copyOfNano(name: string): Promise<string> {
  const copy = folder.path(name, "model");
  await cp(nano, copy, { recursive: true, filter: (path) => !path.includes(".prepacked") });
  return copy;
}

/** A copy as the engine keeps it, of a graph of this name. */
async function putCopy(model: string, graph: string): Promise<void> {
  const place = join(model, ".prepacked", `${graph}-0123456789abcdef`);
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "graph.onnx"), new Uint8Array(1000));
}

const levelsOf = async (model: string): Promise<string[]> => {
  const text = await readFile(join(model, "manifest.json"), "utf8");
  return Object.keys((JSON.parse(text) as { levels: object }).levels);
};

it("lists the models below a folder, with what each level takes", async () => {
  const model = await copyOfNano("listed");
  await putCopy(model, "phi-int4-b128");
  const { end, stdout } = await runCli(["models", folder.path("listed"), "--json"]);
  expect(end).toBe(0);
  const listed = JSON.parse(stdout) as {
    bytes: number;
    common: number;
    levels: { level: string; bytes: number; shared: number; copies: number }[];
  };
  expect(listed).toMatchObject({ folder: model, name: "nano", weights: "trained" });
  const level = (name: string) => listed.levels.find((one) => one.level === name)!;
  expect(level("int4")).toMatchObject({ isDefault: false, copies: 1000 });
  expect(level("fp32")).toMatchObject({ isDefault: true, copies: 0, shared: 0 });
  // All there is on the disk, each file once.
  const names = await readdir(model, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && entry.name !== "manifest.json");
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await readFile(join(parentPath, name))).byteLength),
  );
  expect(listed.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  const { common } = listed;
  const [fp32, int8, int4] = [level("fp32"), level("int8"), level("int4")];
  expect(common + fp32.bytes + int8.bytes + int4.bytes - int4.shared + 1000).toBe(listed.bytes);

  const shown = await runCli(["models", model]);
  expect(shown.stdout).toMatch(/model: nano, trained weights, 80\.9 MB\n {2}fp32 .* default\n/);
});

it("says what is no model, and lists the others", async () => {
  await mkdir(folder.path("mixed/damaged"), { recursive: true });
  await writeFile(folder.path("mixed/damaged/manifest.json"), "{");
  await copyOfNano("mixed");
  const { end, stdout, stderr } = await runCli(["models", folder.path("mixed")]);
  expect(stdout).toContain("model: nano");
  expect(stderr).toContain("damaged/manifest.json");
  expect(end).toBe(1);
  const nowhere = await runCli(["models", folder.path("no/such")]);
  expect(nowhere).toMatchObject({ end: 1, stderr: expect.stringContaining("want a folder") });
});

it("removes a level with its copies, and keeps what others share", async () => {
  const model = await copyOfNano("level");
  await putCopy(model, "phi-int4-b128");
  await putCopy(model, "vision-int8-dynamic");
  const { end, stderr } = await runCli(["models", "remove", model, "--level", "int4", "--yes"]);
  expect({ end, stderr }).toEqual({ end: 0, stderr: expect.stringContaining("int4 removed") });
  expect(await levelsOf(model)).toEqual(["fp32", "int8"]);
  expect(await readdir(join(model, "phi"))).not.toContain("int4-b128.onnx.data");
  expect(await readdir(join(model, ".prepacked"))).toEqual([
    "vision-int8-dynamic-0123456789abcdef",
  ]);
  const args = ["--level", "int8", "--prompt", "What do you see?"];
  const picture = join(repository, "models/nano/gallery/apple.png");
  expect(await runCli(["ask", model, picture, ...args])).toMatchObject({ end: 0 });
});

it.each([
  ["fp32", "which is the model's default"],
  ["int9", "want one of fp32, int8, int4, got int9"],
])("does not remove level %s", async (level, message) => {
  const model = await copyOfNano(`kept-${level}`);
  const { end, stderr } = await runCli(["models", "remove", model, "--level", level, "--yes"]);
  expect(stderr).toContain(message);
  expect(end).toBe(1);
  expect(await levelsOf(model)).toEqual(["fp32", "int8", "int4"]);
});

it("does not remove the only level that others are made from", async () => {
  const model = await copyOfNano("source");
  const path = join(model, "manifest.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, defaultLevel: "int8" }));
  const { end, stderr } = await runCli(["models", "remove", model, "--level", "fp32", "--yes"]);
  expect(stderr).toContain("fp32, from which other levels are made");
  expect(end).toBe(1);
  expect(await levelsOf(model)).toContain("fp32");
});

it("removes a model, and nothing else in its folder", async () => {
  const model = await copyOfNano("whole");
  await putCopy(model, "phi-int4-b128");
  await writeFile(join(model, "notes.txt"), "mine");
  const asked = await runCli(["models", "remove", model], (child) => child.stdin!.end());
  expect(asked).toMatchObject({ end: 2, stderr: expect.stringContaining("say --yes") });
  expect(await levelsOf(model)).toHaveLength(3);
  const { end, stderr } = await runCli(["models", "remove", model, "--yes"]);
  expect(stderr).toContain("kept what is not the model's: notes.txt");
  expect(end).toBe(0);
  expect(await readdir(model)).toEqual(["notes.txt"]);

  const other = await copyOfNano("gone");
  await runCli(["models", "remove", other, "--yes"]);
  expect(await readdir(folder.path("gone"))).toEqual([]);
});
