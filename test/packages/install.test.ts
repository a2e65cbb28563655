/** The packages as others get them; `pnpm run build` and the playground's build make what is packed here. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { installInto, packPackages, reachedFrom } from "../support/installed.ts";
import type { Packed } from "../support/installed.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const nano = join(root, "models/nano/converted");
const picture = join(root, "models/nano/eval/images/a000.png");

let folder: string;
let project: string;
let packed: Map<string, Packed>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv packages-"));
  project = join(folder, "outside");
  packed = await packPackages(join(folder, "tarballs"));
  await installInto(project, packed, [...packed.keys()]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a module in the project, and gives what it prints. */
async function runThere(source: string): Promise<string> {
  await writeFile(join(project, "program.js"), source);
  const { stdout } = await promisify(execFile)(process.execPath, ["program.js"], { cwd: project });
  return stdout.trim();
}

/** Modules with their declarations; the playground's files; the settings of training's four stages. */
const built =
  /^package\/(dist\/[\w./@-]+\.(js|d\.ts)|build\/site\/[\w./-]+|stages\/stage[1-4]\.yaml)$/;

it("hold what is built or read, the licence and nothing else", async () => {
  expect([...packed.keys()].toSorted()).toEqual([
    "@tinygptv/cli",
    "@tinygptv/convert",
    "@tinygptv/datasets",
    "@tinygptv/evaluate",
    "@tinygptv/graph",
    "@tinygptv/inference",
    "@tinygptv/model",
    "@tinygptv/network",
    "@tinygptv/notebook",
    "@tinygptv/playground",
    "@tinygptv/protocol",
    "@tinygptv/train",
    "@tinygptv/transfer",
    "tinygptv",
  ]);
  for (const { tarball } of packed.values()) {
    const { stdout } = await promisify(execFile)("tar", ["-tf", tarball]);
    const files = stdout.trim().split("\n");
    expect(files).toContain("package/LICENSE");
    const others = files.filter((file) => !built.test(file));
    expect(others.toSorted()).toEqual([
      "package/LICENSE",
      "package/README.md",
      "package/package.json",
    ]);
  }
});

describe("installed outside the workspace", () => {
  it("are imported by their doors", async () => {
    const doors: string[] = [];
    for (const name of packed.keys()) {
      const manifest = await readFile(join(project, "node_modules", name, "package.json"), "utf8");
      const { exports = {} } = JSON.parse(manifest) as { exports?: Record<string, unknown> };
      const modules = Object.keys(exports).filter((door) => !door.includes("*"));
      doors.push(...modules.map((door) => name + door.slice(1)));
    }
    expect(doors).toContain("tinygptv/parts");
    const counts = await runThere(`
      const counts = {};
      for (const door of ${JSON.stringify(doors)})
        counts[door] = Object.keys(await import(door)).length;
      console.log(JSON.stringify(counts));`);
    const empty = Object.entries(JSON.parse(counts) as Record<string, number>).filter(
      ([, count]) => count === 0,
    );
    // Of types alone.
    expect(empty.map(([door]) => door)).toEqual(["@tinygptv/graph/session"]);
  });

  it("answer with a converted model, in this process and in one of its own", async () => {
    const said = await runThere(`
      import { readFile } from "node:fs/promises";
      import { createEngine, openModel } from "tinygptv";
      const picture = await readFile(${JSON.stringify(picture)});
      const request = { rounds: [{ prompt: "describe", images: 1 }], task: "caption" };
      async function textOf(events) {
        let text = "";
        for await (const event of events) if (event.type === "delta") text += event.text;
        return text;
      }
      const model = await openModel(${JSON.stringify(nano)});
      console.log(await textOf(model.generate(request, [picture])));
      await model.close();
      const engine = createEngine({ models: [${JSON.stringify(nano)}] });
      console.log(await textOf(engine.generate({ model: "nano", ...request }, [picture])));
      await engine.close();`);
    const [here, there] = said.split("\n");
    expect(here).toMatch(/\w/);
    expect(there).toBe(here);
  });

  it("bring the program that packs graphs of large models beforehand", async () => {
    const program = join(project, "node_modules/tinygptv/dist/session/prepackChild.js");
    const graph = join(nano, "mapping/float32.onnx");
    const args = [program, graph, join(folder, "packed.onnx")];
    expect((await promisify(execFile)(process.execPath, args)).stdout).toBe("usable");
  });

  it("bring the command line, with its exit codes", async () => {
    const bin = join(project, "node_modules/.bin/tinygptv");
    const ask = ["ask", nano, picture, "--prompt", "[caption] describe", "--json"];
    const { stdout } = await promisify(execFile)(bin, ask);
    expect(JSON.parse(stdout)).toMatchObject({ text: expect.stringMatching(/\w/) });
    await expect(promisify(execFile)(bin, ["ask"])).rejects.toMatchObject({ code: 2 });
  });

  it("serve endpoint and playground until they are told to stop", async () => {
    const bin = join(project, "node_modules/.bin/tinygptv");
    const env = { ...process.env, TINYGPTV_STORE: "memory", TINYGPTV_LOG_LEVEL: "silent" };
    const program = spawn(bin, ["serve", nano, "--port", "0"], { cwd: project, env });
    const ended = once(program, "close");
    onTestFinished(() => void program.kill("SIGKILL"));
    let said = "";
    program.stderr.on("data", (chunk) => (said += chunk));
    await expect.poll(() => said, { timeout: 20_000 }).toContain("Ctrl-C ends it");
    const [url] = /http:\/\/[\d.:]+/.exec(said)!;

    const page = await (await fetch(`${url}/s/any-address`)).text();
    const [script] = /\/_app\/immutable\/[\w./-]+\.js/.exec(page)!;
    const loaded = await fetch(url + script);
    expect(loaded.headers.get("content-type")).toContain("javascript");
    expect(loaded.headers.get("cache-control")).toContain("immutable");
    expect((await fetch(`${url}/_app/immutable/none.js`)).status).toBe(404);
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: object[] };
    expect(data[0]).toMatchObject({ id: expect.stringMatching(/^nano:/) });
    // Pages may run the models themselves.
    expect(await (await fetch(`${url}/models/index.json`)).json()).toEqual(["nano"]);
    const { status } = await fetch(`${url}/docs/swagger-ui-bundle.js`);
    expect(status).toBe(200);

    program.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  it("have types that a strict project accepts", { timeout: 120_000 }, async () => {
    const program = `
      import { openModel, type Model } from "tinygptv";
      import { seeded } from "tinygptv/parts";
      import { convert } from "@tinygptv/convert";
      import { compare, verify } from "@tinygptv/evaluate";
      import { fromMarkdown } from "@tinygptv/notebook";
      import { TinyGptvError, type GenerateEvent } from "@tinygptv/protocol";
      import { readManifest } from "@tinygptv/model/disk";
      import { GraphBuilder } from "@tinygptv/graph";
      export const model: Promise<Model> = openModel("folder");
      // @ts-expect-error: declarations are there, and are not all of them any
      openModel(1);
      export const all = [seeded, convert, compare, verify, fromMarkdown, readManifest, GraphBuilder];
      export const code = (event: GenerateEvent) => new TinyGptvError("io", event.type).code;`;
    await writeFile(join(project, "program.ts"), program);
    const compilerOptions = {
      module: "nodenext",
      target: "es2023",
      lib: ["es2024", "esnext.disposable"],
      strict: true,
      noEmit: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    };
    const settings = { compilerOptions, files: ["program.ts"] };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify(settings));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const checked = await promisify(execFile)(process.execPath, [tsc, "-p", project]).catch(
      (error: { stdout: string }) => error,
    );
    expect(checked.stdout).toBe("");
  });
});

it("do not bring ONNX Runtime where it is not needed", async () => {
  const portable = join(folder, "portable");
  await installInto(portable, packed, ["@tinygptv/notebook"]);
  const reached = await reachedFrom(portable);
  const ours = reached.filter((name) => /^(@tinygptv\/|tinygptv$)/.test(name));
  expect(ours).toEqual(["@tinygptv/notebook", "@tinygptv/protocol"]);
  const needsNode = ["onnxruntime-node", "sharp", "undici"];
  expect(reached.filter((name) => needsNode.includes(name))).toEqual([]);
  const converting = join(folder, "converting");
  await installInto(converting, packed, ["@tinygptv/convert"]);
  expect(await reachedFrom(converting)).not.toContain("onnxruntime-node");
});
