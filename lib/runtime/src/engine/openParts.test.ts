import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { components, type Manifest } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import { convertFixture, temporaryFolder } from "../../../../test/support/converted.ts";
import { openSession } from "../session/runtime.ts";
import { openModel } from "./openModel.ts";
import { openParts } from "./openParts.ts";
import { graphsOf, wholeModel } from "./parts.ts";

const scratch = await temporaryFolder();
afterAll(scratch.remove);
const folder = await convertFixture("micro-stage4", join(scratch.path, "model"));
const manifest = await readManifest(folder);
const files = graphsOf(manifest, "fp32");
const model = { folder, manifest, files };

/** Sessions that are open, and how many were. */
let opened = 0;
let open = 0;
beforeEach(() => void (opened = open = 0));
const counted: typeof openSession = async (path, options) => {
  const session = await openSession(path, options);
  opened += 1;
  open += 1;
  const release = async () => {
    open -= 1;
    await session.release();
  };
  return { ...session, release };
};
const options = { openSession: counted, prepacked: false } as const;

it("opens what is asked for, what it stands on once, and closes it once", async () => {
  const parts = await openParts(model, ["phi", "languageModel", "embeddings"], options);
  expect([opened, open]).toEqual([1, 1]);
  expect(new Set(Object.keys(parts))).toEqual(
    new Set(["phi", "languageModel", "embeddings", "close"]),
  );
  await Promise.all([parts.close(), parts.close()]);
  expect(open).toBe(0);
  await parts.close();
  expect(open).toBe(0);
});

/** A model whose file of a part holds nothing but zeros. */
async function withZeros(path: string): Promise<() => Promise<void>> {
  const content = await readFile(join(folder, path));
  await writeFile(join(folder, path), new Uint8Array(content.length));
  return () => writeFile(join(folder, path), content);
}

it.each([
  ...components.map((component) => [component, files[component]] as const),
  ["tokenizer", `${manifest.tokenizer}/tokenizer.json`] as const,
])("keeps nothing open where %s is damaged, however often it is tried", async (_, path) => {
  const restore = await withZeros(path);
  for (let i = 0; i < 5; i++) {
    await expect(openParts(model, wholeModel, options)).rejects.toMatchObject({ code: "model" });
    await expect(openModel(folder, options)).rejects.toMatchObject({ code: "model" });
  }
  await restore();
  expect(open).toBe(0);
  const whole = await openModel(folder, options);
  expect(open).toBe(4);
  await whole.close();
  expect(open).toBe(0);
});

it("keeps nothing open where the embeddings are missing", async () => {
  const missing = { ...manifest, embeddings: { ...manifest.embeddings, file: "nothing.bin" } };
  await expect(
    openParts({ ...model, manifest: missing }, wholeModel, options),
  ).rejects.toMatchObject({ code: "model", message: expect.stringContaining("nothing.bin") });
  expect([opened, open]).toEqual([4, 0]);
});

const { phi, vision, qformer } = manifest.config;
it.each<[what: string, config: Partial<Manifest["config"]>, says: string]>([
  ["a layer too few", { phi: { ...phi, numLayers: phi.numLayers - 1 } }, "want no such input"],
  ["a layer too many", { phi: { ...phi, numLayers: phi.numLayers + 1 } }, "got no such input"],
  ["other heads", { phi: { ...phi, numHeads: 256 } }, "past_key.0: want [B, 256, P,"],
  ["larger pictures", { vision: { ...vision, imageSize: 2030 } }, "want [N, 3, 2030, 2030]"],
  ["more queries", { qformer: { ...qformer, numQueryTokens: 1000 } }, "image_embeds: want"],
])("refuses a manifest that says %s than its graphs", async (_, config, says) => {
  const wrong = { ...manifest, config: { ...manifest.config, ...config } };
  const failure = openParts({ ...model, manifest: wrong }, wholeModel, options);
  await expect(failure).rejects.toMatchObject({
    code: "model",
    message: expect.stringContaining(says),
  });
  expect(open).toBe(0);
});

it("knows the folder's own levels only", () => {
  expect(() => graphsOf(manifest, "constructor")).toThrow("level: want one of fp32");
});
