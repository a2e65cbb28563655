import { expect, it } from "vitest";
import { convertFixture, temporaryFolder } from "../../../test/support/converted.ts";
import { parseManifest } from "./manifest.ts";
import { readManifest } from "./readManifest.ts";

const folder = await temporaryFolder();
const model = await convertFixture("micro-stage4", `${folder.path}/model`);
const manifest = await readManifest(model);
await folder.remove();

it.each<[what: string, at: string, value: unknown, ...says: string[]]>([
  ["another version", "formatVersion", 1, "want version 2, got 1"],
  ["a name with a slash", "name", "a/b", "lower-case letters", 'got "a/b"'],
  ["a missing part", "levels.fp32.qformer", undefined],
  ["an unknown part", "extra", 1, "extra: want one of formatVersion, "],
  ["a default level that is not there", "defaultLevel", "int4", "want one of fp32, got int4"],
  ["a size below zero", "config.phi.width", -1],
  ["more layers than any model has", "config.phi.numLayers", 1e7, "config.phi.numLayers"],
  ["pictures larger than memory", "config.vision.imageSize", 14_000, "config.vision.imageSize"],
  ["a picture of half patches", "config.vision.imageSize", 29, "want a multiple of 14"],
  ["more patches than attention can take", "config.vision.patchSize", 1, "imageSize"],
  ["half a sha256", "files.0.sha256", "ab"],
  ["a file twice", "files.0", manifest.files[1], "want each file once, got"],
])("refuses %s", (_, at, value, ...says) => {
  expectRefused(changed(at, value), ...says);
});

it.each(["../x", "a/../../x", "/etc/passwd", "a//b", "", "a\\..\\b", "C:\\x", "a/", ".."])(
  "refuses the path %j, wherever it stands",
  (path) => {
    const message = `want a path inside the model folder, got ${JSON.stringify(path)}`;
    for (const at of ["files.0.path", "embeddings.file", "tokenizer", "levels.fp32.phi"])
      expectRefused(changed(at, path), message);
  },
);

/** The manifest with another value at a place (`files.0.path`). */
function changed(at: string, value: unknown): string {
  const copy: object = structuredClone(manifest);
  const keys = at.split(".");
  const last = keys.pop()!;
  const parent = keys.reduce<object>((inner, key) => Reflect.get(inner, key), copy);
  Reflect.set(parent, last, value);
  return JSON.stringify(copy);
}

it.each(["", "{", "null", "[]", "7"])("refuses the text %j", (broken) => {
  expectRefused(broken);
});

it("says how to make a model where there is none", async () => {
  await expect(readManifest("/no/such/folder")).rejects.toMatchObject({
    code: "model",
    message: expect.stringMatching(/^\/no\/such\/folder: want a converted model.*tinygptv convert/),
  });
});

function expectRefused(broken: string, ...says: string[]): void {
  let error: unknown;
  try {
    parseManifest(broken, "folder/manifest.json");
  } catch (reason) {
    error = reason;
  }
  expect(error).toMatchObject({
    code: "model",
    message: expect.stringMatching(/^folder\/manifest\.json: /),
  });
  for (const part of says) expect((error as Error).message).toContain(part);
}
