import { appendFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { libraryFinder } from "tinygptv/parts";
import { repository, runCli, temporaryFolder } from "../testing/runCli.ts";
import { checkCuda } from "./cuda.ts";
import { checkEndpoint } from "./endpoint.ts";
import type { Finding } from "./finding.ts";
import { checkModel } from "./model.ts";
import { checkNode } from "./node.ts";
import { checkVulkan } from "./vulkan.ts";
import { checkWebgpu } from "./webgpu.ts";

const folder = temporaryFolder();
const nano = join(repository, "models/nano/converted");

const textOf = (findings: Finding[], state: Finding["state"]): string =>
  findings.flatMap((finding) => (finding.state === state ? [finding.text] : [])).join("\n");

async function file(name: string, content: string | Uint8Array = ""): Promise<string> {
  const path = folder.path(name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

it("looks at this machine and a model, a line each, and finds nothing to fix", async () => {
  const { end, stdout, stderr } = await runCli(["doctor", nano, "--deep", "--json"]);
  expect({ end, stderr }).toEqual({ end: 0, stderr: "" });
  const findings = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
  const subjects = findings.map(({ subject }) => subject);
  expect(subjects).toEqual(
    expect.arrayContaining([
      "node",
      "onnxruntime",
      "processor",
      "vulkan",
      "webgpu",
      "settings",
      "store",
    ]),
  );
  expect(textOf(findings, "ok")).toContain("files, each with its checksum");
  expect(textOf(findings, "fix")).toBe("");
});

it("exits with 1 where something is to be fixed", async () => {
  const { end, stdout } = await runCli(["doctor", "no/such/model"]);
  expect(stdout).toMatch(/^fix +model no\/such\/model +no\/such\/model: want a converted model/m);
  expect(end).toBe(1);
});

it.each([
  ["22.17.1", "fix"],
  ["20.19.0", "fix"],
  ["22.18.0", "ok"],
  ["23.0.0", "ok"],
])("Node %s: %s", async (version, state) => {
  expect(await checkNode(version)).toMatchObject([{ state }]);
});

describe("a model", () => {
  it("is damaged in its size at once, in its content with --deep", async () => {
    const copy = folder.path("damaged");
    await cp(nano, copy, { recursive: true });
    const changed = join(copy, "phi/int4-b128.onnx.data");
    const bytes = await readFile(changed);
    bytes[1000]! ^= 1;
    await writeFile(changed, bytes);
    expect(textOf(await checkModel(copy), "fix")).toBe("");
    expect(textOf(await checkModel(copy, { deep: true }), "fix")).toContain(
      `${changed}: want content`,
    );
    await appendFile(changed, "x");
    expect(textOf(await checkModel(copy), "fix")).toContain(`${changed}: want`);
  });

  it("does not fit into less memory than its level takes", async () => {
    const found = textOf(await checkModel(nano, { freeMemory: 1e9 }), "fix");
    expect(found).toMatch(/nano:fp32 takes up to 1\.\d+ GB, 1\.00 GB are free/);
    expect(textOf(await checkModel(nano, { freeMemory: 4e9 }), "fix")).toBe("");
  });
});

describe("Vulkan", () => {
  it("is optional, and says what is missing: the loader, a driver, the driver's library", async () => {
    const none = async () => undefined;
    expect(await checkVulkan({ findLibrary: none })).toMatchObject([
      { state: "optional", text: expect.stringContaining("libvulkan.so.1") },
    ]);
    const lib = folder.path("lib");
    await file("lib/libvulkan.so.1");
    const findLibrary = libraryFinder([lib], {});
    const folders = [folder.path("icd.d")];
    expect(textOf(await checkVulkan({ findLibrary, env: {}, folders }), "optional")).toContain(
      "no driver",
    );
    const manifest = { ICD: { library_path: "libof-a-gpu.so.0" } };
    const path = await file("icd.d/gpu.json", JSON.stringify(manifest));
    expect(textOf(await checkVulkan({ findLibrary, env: {}, folders }), "optional")).toBe(
      `${path} names libof-a-gpu.so.0, which is not there`,
    );
    await file("lib/libof-a-gpu.so.0");
    const found = await checkVulkan({ findLibrary, env: {}, folders });
    expect(textOf(found, "ok")).toContain(join(lib, "libof-a-gpu.so.0"));
  });

  it("takes the driver that a variable names, with a library beside its manifest", async () => {
    await file("lib/libvulkan.so.1");
    const library = await file("own/libown.so");
    const manifest = { ICD: { library_path: "./libown.so" } };
    const env = { VK_ICD_FILENAMES: await file("own/own.json", JSON.stringify(manifest)) };
    const findLibrary = libraryFinder([], { LD_LIBRARY_PATH: folder.path("lib") });
    const found = await checkVulkan({ findLibrary, env, folders: [] });
    expect(textOf(found, "ok")).toContain(library);
    expect(textOf(found, "optional")).toBe("");
  });
});

describe("WebGPU", () => {
  const finding = { what: "picture", passed: false, got: 0.25 };

  it("is not tried where it cannot be there", async () => {
    const test = () => Promise.reject(new Error("tried"));
    const found = await checkWebgpu("no Vulkan driver", test);
    expect(textOf(found, "optional")).toContain("not tried: no Vulkan driver");
  });

  it("says in what form it computes right, and how fast", async () => {
    const forms = [{ attention: "grouped", precision: "float16" } as const];
    const found = await checkWebgpu(undefined, async () => ({ forms, findings: [], speed: 12.34 }));
    expect(textOf(found, "ok")).toMatch(/grouped attention in float16, 12\.3 times as fast/);
    expect(textOf(found, "ok")).not.toContain("stays with the processor");
    const slow = await checkWebgpu(undefined, async () => ({ forms, findings: [], speed: 1.2 }));
    expect(textOf(slow, "ok")).toContain("stays with the processor");
  });

  it("is optional where it computes wrong, and says what differs", async () => {
    const found = await checkWebgpu(undefined, async () => ({
      forms: [],
      findings: [finding],
      speed: 0,
    }));
    expect(textOf(found, "optional")).toContain("picture (2.5e-1)");
  });
});

it("names the files that CUDA wants, and what those that are there lack", async () => {
  const [absent] = await checkCuda(folder.path("nothing"));
  expect(absent!.state).toBe("optional");
  expect(absent!.text).toContain(folder.path("nothing/libonnxruntime_providers_cuda.so"));
});

describe("the endpoint", () => {
  it("has variables, of which a wrong one is named", async () => {
    const found = await checkEndpoint({ TINYGPTV_KEYS: "short" });
    expect(textOf(found, "fix")).toContain("TINYGPTV_KEYS: want keys");
  });

  it("has a store that can be written, or not", async () => {
    const good = await checkEndpoint({ TINYGPTV_STORE: folder.path("store") });
    expect(textOf(good, "ok")).toContain("can be written");
    const blocked = join(await file("a-file"), "store");
    const found = await checkEndpoint({ TINYGPTV_STORE: blocked });
    expect(textOf(found, "fix")).toContain(blocked);
  });
});
