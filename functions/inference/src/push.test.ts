import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeModelFolder } from "../test/modelFolder.ts";
import { pullModel } from "./modelStore/index.ts";
import { fileStore } from "./store/index.ts";

const program = fileURLToPath(new URL("./push.ts", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "push-"));
  await writeModelFolder(join(folder, "source"), "tiny", { "phi.onnx": Buffer.from("graph") });
});
afterEach(() => rm(folder, { recursive: true }));

function push(store: string, ...args: string[]) {
  const env = { ...process.env, TINYGPTV_STORE: store };
  return new Promise<{ failed: boolean; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], { env }, (error, out, err) =>
      resolve({ failed: error !== null, out, err }),
    );
  });
}

it("puts a model where servers pull it from", async () => {
  const store = join(folder, "store");
  expect(await push(store, join(folder, "source"))).toEqual({
    failed: false,
    out: `phi.onnx 5 bytes\nstore:tiny is in ${store}\n`,
    err: "",
  });
  const pulled = await pullModel(fileStore(store), "tiny", join(folder, "cache"));
  expect(await readFile(join(pulled, "phi.onnx"), "utf8")).toBe("graph");
  expect((await push(store, join(folder, "source"))).out).toContain("there already");
});

it.each([
  ["no folder", () => push("unused"), /want folders/],
  ["a folder that holds no model", () => push("unused", folder), /manifest\.json/],
  ["a store that forgets", () => push("memory", folder), /TINYGPTV_STORE/],
])("says what is wrong with %s", async (_, run, message) => {
  const { failed, out, err } = await run();
  expect([failed, out]).toEqual([true, ""]);
  expect(err).toMatch(message);
  expect(err.split("\n").length).toBe(2);
});
