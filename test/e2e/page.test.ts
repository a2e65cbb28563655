/** The engine in a page: nano in a real Chromium, from a plain file server, beside the same in Node. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { rolldown } from "rolldown";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openModel } from "tinygptv";
import type { GenerateRequest } from "@tinygptv/protocol";
import { temporaryFolder } from "../support/converted.ts";
import { serveFolders } from "../support/folderServer.ts";
import type { FolderServer } from "../support/folderServer.ts";
import { launchBrowser, softwareGpu } from "./browser.ts";

const nano = fileURLToPath(new URL("../../models/nano/", import.meta.url));
const scratch = await temporaryFolder();
let browser: Browser;
let onGpu: Browser;
let server: FolderServer;

beforeAll(async () => {
  await writeSite(scratch.path);
  browser = await launchBrowser();
  onGpu = await launchBrowser(softwareGpu);
  // What docs/page.md asks of a host: no script but the site's own, and WebAssembly.
  const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
  server = await serveFolders(
    { "/nano/": join(nano, "converted"), "/": scratch.path },
    { "content-security-policy": policy },
  );
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser.close();
  await onGpu.close();
  await server.stop();
  await scratch.remove();
});

/** A page of somebody else's, with the engine as their bundler has it. */
async function writeSite(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const worker = join(folder, "worker.ts");
  const host = fileURLToPath(import.meta.resolve("tinygptv/web/worker"));
  await writeFile(
    worker,
    `import { hostModels } from ${JSON.stringify(host)};
    const addressOf = (name) => new URL(name, location.href).href;
    hostModels({ wasm: addressOf("ort.wasm"), webgpu: addressOf("ort.jspi.wasm") });
    // Where the device is to be found, for who breaks it.
    const { requestDevice } = globalThis.GPUAdapter?.prototype ?? {};
    if (requestDevice) GPUAdapter.prototype.requestDevice = async function (...given) {
      return (globalThis.device = await requestDevice.apply(this, given));
    };`,
  );
  const engine = fileURLToPath(import.meta.resolve("tinygptv/web"));
  for (const [input, name] of [
    [engine, "engine.js"],
    [worker, "worker.js"],
  ] as const) {
    const bundle = await rolldown({ input, platform: "browser" });
    await bundle.write({ file: join(folder, name), codeSplitting: false });
  }
  const { resolve } = createRequire(host);
  for (const [name, file] of [
    ["ort.wasm", "ort-wasm-simd-threaded.wasm"],
    ["ort.jspi.wasm", "ort-wasm-simd-threaded.jspi.wasm"],
  ] as const)
    await writeFile(join(folder, name), await readFile(resolve(`onnxruntime-web/${file}`)));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>A page</title>");
}

/**
 * Opens the page, with `engine` on nano in it and in `progress` what was heard of downloads.
 * @param provider of the engine
 */
async function openPage(context: BrowserContext, provider = "auto"): Promise<Page> {
  const page = await context.newPage();
  await page.goto(server.url);
  // A text, since vitest rewrites imports in functions.
  await page.evaluate(`import("/engine.js").then(({ createEngine }) => {
    globalThis.progress = [];
    globalThis.engine = createEngine({
      models: ["nano/"],
      provider: "${provider}",
      worker: () => new Worker("/worker.js", { type: "module" }),
      onProgress: (one) => progress.push(one),
    });
  })`);
  return page;
}

interface Asked {
  request: GenerateRequest;
  /** In the gallery. */
  picture: string;
}

/** The token ids of every hypothesis of an answer, and its text. */
type Answer = { text: string; ids: number[] }[];

/** What the page answers, one question after the other. */
function askPage(page: Page, model: string, asked: readonly Asked[]): Promise<Answer[]> {
  return Promise.all(
    asked.map(async ({ request, picture }) => {
      const bytes = [...(await readFile(join(nano, "gallery", picture)))];
      return page.evaluate<Answer>(`(async () => {
        const pictures = [Uint8Array.from(${JSON.stringify(bytes)})];
        for await (const event of engine.generate(${JSON.stringify(request)}, pictures, { model: "${model}" }))
          if (event.type === "end")
            return event.hypotheses.map(({ text, tokens }) => ({ text, ids: tokens.map(({ id }) => id) }));
      })()`);
    }),
  );
}

/** What Node answers. */
async function askNode(level: string, asked: readonly Asked[]): Promise<Answer[]> {
  const model = await openModel(join(nano, "converted"), { level });
  try {
    const answers: Answer[] = [];
    for (const { request, picture } of asked) {
      const pictures = [await readFile(join(nano, "gallery", picture))];
      for await (const event of model.generate(request, pictures))
        if (event.type === "end")
          answers.push(
            event.hypotheses.map(({ text, tokens }) => ({ text, ids: tokens.map(({ id }) => id) })),
          );
    }
    return answers;
  } finally {
    await model.close();
  }
}

const decodings: GenerateRequest["decoding"][] = [
  {},
  { method: "beam", numBeams: 3 },
  { method: "sample", seed: 7 },
];
const questions = [
  ["cat-and-fish.png", "What do you see?"],
  ["dog.png", "[vqa] what color is the background?"],
  ["pizza.png", "[refer] give me the location of the pizza"],
] as const;
const asked: Asked[] = questions.flatMap(([picture, prompt]) =>
  decodings.map((decoding) => ({ picture, request: { rounds: [{ prompt }], decoding } })),
);

describe("nano in a page", () => {
  it.each(["fp32", "int4"])("answers as the server does, in %s", async (level) => {
    const page = await openPage(await browser.newContext());
    expect(await askPage(page, `nano:${level}`, asked)).toEqual(await askNode(level, asked));
  });

  it("scores, follows a JSON schema, and reads tokens as the server does", async () => {
    const page = await openPage(await browser.newContext());
    const jsonSchema = JSON.stringify({
      type: "object",
      properties: { n: { type: "integer" } },
      required: ["n"],
    });
    const json: Asked = {
      picture: "dog.png",
      request: {
        rounds: [{ prompt: "How many?" }],
        decoding: { jsonSchema, maxNewTokens: 20 },
      },
    };
    const [[answer]] = (await askPage(page, "nano:fp32", [json])) as [Answer];
    expect([[answer]]).toEqual(await askNode("fp32", [json]));
    const request = { rounds: [{ prompt: "What is it?" }], candidates: ["a dog", "a cat", "blue"] };
    const model = await openModel(join(nano, "converted"), { level: "fp32" });
    const scored = await model.score(request, []);
    const ids = model.tokenize("a dog").map(({ id }) => id);
    await model.close();
    const got = await page.evaluate<[typeof scored, typeof ids]>(`(async () => [
      await engine.score(${JSON.stringify(request)}, [], { model: "nano:fp32" }),
      (await engine.tokenize("a dog", { model: "nano:fp32" })).map(({ id }) => id),
    ])()`);
    expect(got[1]).toEqual(ids);
    expect(got[0].ranks).toEqual(scored.ranks);
    got[0].candidates.forEach(({ meanLogprob }, i) =>
      expect(meanLogprob).toBeCloseTo(scored.candidates[i]!.meanLogprob, 4),
    );
  });
});

describe("what nano runs on in a page", { timeout: 300_000 }, () => {
  const load = (page: Page, model: string): Promise<string> =>
    page.evaluate(
      `engine.load("${model}").then(() => "loaded", (error) => error.code + ": " + error.message)`,
    );
  const running = (page: Page): Promise<object[]> =>
    page.evaluate(
      `engine.models().then((models) => models.flatMap(({ id, loaded, executionProvider, execution }) =>
        loaded ? [{ id, executionProvider, execution }] : []))`,
    );

  it("is WebAssembly where there is no GPU; by name that is refused, saying what is missing", async () => {
    const context = await browser.newContext();
    const page = await openPage(context);
    expect(await load(page, "nano:int4")).toBe("loaded");
    const [{ execution }] = (await running(page)) as [{ execution: string }];
    expect(await running(page)).toEqual([
      {
        id: "nano:int4",
        executionProvider: "wasm",
        execution: expect.stringMatching(/WebGPU|GPU/),
      },
    ]);
    const byName = await openPage(context, "webgpu");
    expect(await load(byName, "nano:int4")).toBe(
      `model: webgpu: want a browser that gives pages the GPU (WebGPU and JavaScript Promise Integration), got ${execution}`,
    );
  });

  it("is not software that passes for a GPU, unless asked for: then it answers as the server does, until it fails", async () => {
    const context = await onGpu.newContext();
    const page = await openPage(context);
    expect(await load(page, "nano:int4")).toBe("loaded");
    const software = "software that passes for a GPU";
    expect(await running(page)).toEqual([
      { id: "nano:int4", executionProvider: "wasm", execution: software },
    ]);
    await page.close();

    const gpu = await openPage(context, "webgpu");
    const short = asked.filter(({ picture }) => picture === "dog.png");
    expect(await askPage(gpu, "nano:fp32", short)).toEqual(await askNode("fp32", short));
    const execution = "explicit attention in float32; passed its self-test";
    expect(await running(gpu)).toEqual([
      { id: "nano:fp32", executionProvider: "webgpu", execution },
    ]);

    await gpu.workers()[0]!.evaluate("device.destroy()");
    const question = JSON.stringify(short[0]!.request);
    const ask = `(async () => { for await (const _ of engine.generate(${question}, [], { model: "nano:fp32" })); })()`;
    await expect(gpu.evaluate(ask)).rejects.toThrow("webgpu: the device failed");
    // Another worker has another device.
    expect(await running(gpu)).toEqual([]);
  });
});

describe("a level's files", () => {
  /** Of the requests since, those for files of the model but its manifest. */
  const filesSince = (start: number): string[] =>
    server.requests
      .slice(start)
      .filter((path) => path.startsWith("/nano/") && !path.includes("manifest.json"));
  const levelOf = (page: Page): Promise<{ downloadBytes: number; keptBytes: number }> =>
    page.evaluate(`engine.levels().then((levels) => levels.find(({ level }) => level === "fp32"))`);
  const load = (page: Page): Promise<string> =>
    page.evaluate<string>(
      `engine.load("nano:fp32").then(() => "loaded", (error) => error.code + ": " + error.message)`,
    );

  it("come once, go on after a stop, need no server later, and can be removed", async () => {
    const context = await browser.newContext();
    const page = await openPage(context);
    const { downloadBytes, keptBytes } = await levelOf(page);
    expect(keptBytes).toBe(0);
    const stopped = await page.evaluate(`(async () => {
      const stop = new AbortController();
      const watch = setInterval(() => progress.at(-1)?.done > 1e6 && stop.abort(), 1);
      const outcome = await engine.load("nano:fp32", stop.signal).then(() => "loaded", ({ code }) => code);
      clearInterval(watch);
      return outcome;
    })()`);
    expect(stopped).toBe("aborted");

    const second = server.requests.length;
    expect(await load(page)).toBe("loaded");
    expect(filesSince(second).some((path) => /bytes=\d+-$/.test(path))).toBe(true);
    expect(await levelOf(page)).toMatchObject({ keptBytes: downloadBytes });
    const last = await page.evaluate("progress.at(-1)");
    expect(last).toEqual({ model: "nano:fp32", done: downloadBytes, total: downloadBytes });

    const third = server.requests.length;
    const { "/nano/": folder, ...others } = server.folders;
    server.folders = others;
    try {
      const later = await openPage(context);
      expect(await load(later)).toBe("loaded");
      expect(filesSince(third)).toEqual([]);
      await later.evaluate(`engine.remove("nano:fp32")`);
      expect(await levelOf(later)).toMatchObject({ keptBytes: 0 });
      expect(await load(later)).toMatch(/^network: .*: want \d+ bytes, got status 404$/);
    } finally {
      server.folders = { "/nano/": folder!, ...others };
    }
  });

  it("are asked for again where nobody had them at first", async () => {
    const before = server.folders;
    server.folders = { "/": scratch.path };
    const page = await openPage(await browser.newContext());
    expect(await load(page)).toMatch(/^network: .*manifest\.json: want .*, got status 404$/);
    server.folders = before;
    expect(await load(page)).toBe("loaded");
  });

  it("are refused where they are not what the manifest says, naming the file", async () => {
    const damaged = join(scratch.path, "damaged");
    await cp(join(nano, "converted"), damaged, { recursive: true });
    const path = join(damaged, "mapping/float32.onnx");
    const content = await readFile(path);
    content[100]! ^= 1;
    await writeFile(path, content);
    const before = server.folders;
    server.folders = { ...before, "/nano/": damaged };
    try {
      const page = await openPage(await browser.newContext());
      expect(await load(page)).toMatch(
        /^model: .*\/nano\/mapping\/float32\.onnx: want sha256 [0-9a-f]{64}, got [0-9a-f]{64}$/,
      );
    } finally {
      server.folders = before;
    }
  });
});

describe("pictures in a page", () => {
  const base = sharp(join(nano, "gallery/cat-and-fish.png")).removeAlpha();
  const photo = () => base.clone().resize(301, 203, { fit: "fill" });
  const files: Record<string, () => Promise<Buffer>> = {
    PNG: () => photo().png().toBuffer(),
    "a PNG with a palette": () => photo().png({ palette: true }).toBuffer(),
    "a grey PNG": () => photo().greyscale().png().toBuffer(),
    JPEG: () => photo().jpeg().toBuffer(),
    "JPEG 4:4:4, progressive": () =>
      photo().jpeg({ chromaSubsampling: "4:4:4", progressive: true }).toBuffer(),
    "a JPEG that is turned": () => photo().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    WebP: () => photo().webp().toBuffer(),
    "WebP without loss": () => photo().webp({ lossless: true }).toBuffer(),
    GIF: () => photo().gif().toBuffer(),
  };
  const preprocess = (page: Page, bytes: Uint8Array, mode: string): Promise<string> =>
    page.evaluate<string>(
      `engine.preprocess(Uint8Array.from(${JSON.stringify([...bytes])}), "${mode}", { model: "nano:int4" })
        .then(({ tensorHash, width, height }) => [width, height, tensorHash].join(), ({ message }) => message)`,
    );

  it("have the server's pixels, bit for bit, or are refused", async () => {
    const page = await openPage(await browser.newContext());
    const model = await openModel(join(nano, "converted"), { level: "int4" });
    const here: Record<string, string> = {};
    const there: Record<string, string> = {};
    for (const [name, make] of Object.entries(files))
      for (const mode of ["display", "reference"] as const) {
        const bytes = await make();
        const { tensorHash, width, height } = await model.preprocess(bytes, mode);
        there[`${name}, ${mode}`] = [width, height, tensorHash].join();
        here[`${name}, ${mode}`] = await preprocess(page, bytes, mode);
      }
    await model.close();
    expect(here).toEqual(there);

    const cmyk = await photo().toColourspace("cmyk").jpeg().toBuffer();
    expect(await preprocess(page, cmyk, "display")).toContain("cannot read CMYK JPEG");
    const glass = await photo().ensureAlpha(0.5).png().toBuffer();
    expect(await preprocess(page, glass, "reference")).toContain("under transparent pixels");
    expect(await preprocess(page, glass.subarray(0, 3000), "display")).toContain("damaged");
    expect(await preprocess(page, new Uint8Array(9), "display")).toContain("want PNG, JPEG");
  });
});
