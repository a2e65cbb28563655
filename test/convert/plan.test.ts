/** What a conversion says before it writes anything. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { convert, quantizeModel, type WritePlan } from "../../lib/convert/src/index.ts";
import { makePlan } from "../../lib/convert/src/plan.ts";
import { writeModelFolder } from "../../lib/convert/src/modelFolder.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { fixture, temporaryFolder } from "../support/converted.ts";

const scratch = await temporaryFolder();
afterAll(scratch.remove);
const { paths: sources, settings } = await findSources(fixture("micro-stage4"));

/** What is said, and whether anything was done by then. */
function listen() {
  const said: (WritePlan & { isFirst: boolean })[] = [];
  let isFirst = true;
  return {
    said,
    onPlan: (plan: WritePlan) => void said.push({ ...plan, isFirst }),
    onProgress: () => void (isFirst = false),
  };
}

it("is what comes out", async () => {
  const out = join(scratch.path, "model");
  const { said, ...run } = listen();
  const options = { sources, settings: settings!, out, openSession };
  const manifest = await convert({ ...options, levels: ["fp32", "int8"] }, run);
  expect(said).toHaveLength(1);
  const plan = said[0]!;
  expect(plan.isFirst).toBe(true);
  const bytesOf = (files: readonly { path: string; bytes: number }[]) =>
    files.find(({ path }) => path === "token-embeddings.bin")!.bytes;
  expect(bytesOf(plan.files)).toBe(bytesOf(manifest.files));
  expect(plan.files.map(({ path, levels }) => [path, levels])).toEqual(
    expect.arrayContaining([
      ["token-embeddings.bin", ["fp32", "int8"]],
      ["phi/float32.onnx", ["fp32"]],
      [manifest.levels["int8"]!.vision, ["int8"]],
    ]),
  );
  expect(plan.bytes).toBe(plan.files.reduce((sum, { bytes }) => sum + bytes, 0));
  // int8 looks at a block of the picture encoder at a time.
  expect(plan.space).toBeGreaterThan(plan.bytes);
  expect(plan.free).toBeGreaterThan(plan.space);
  expect(plan.seconds).toBeGreaterThan(0);

  const second = listen();
  await quantizeModel(out, ["int4"], { openSession, ...second });
  const added = second.said[0]!.files.map(({ path }) => path);
  expect(added).toEqual([expect.stringMatching(/^phi\/int4/)]);
});

it("is refused where the disk has too little room, and leaves nothing", async () => {
  const large = { path: "token-embeddings.bin", bytes: 2 ** 50, levels: ["fp32"] };
  const failing = writeModelFolder(join(scratch.path, "large"), false, async (folder) => {
    await makePlan(folder, [], [large]);
    throw new Error("not refused");
  });
  await expect(failing).rejects.toMatchObject({
    code: "io",
    message: expect.stringMatching(
      /large: want 1125899906842624 bytes of free disk space, got \d+$/,
    ),
  });
  expect(await readdir(scratch.path)).not.toContainEqual(expect.stringMatching(/^large/));
});
