/**
 * `pnpm bench [--quick]`: speed and memory at the published dimensions, ours and
 * llama.cpp's in the same run on the same threads. Subjects take turns round by
 * round, so that what else the machine does hits all of them; medians are shown.
 *
 *   --load         instead: a level under load, 1, 4 and 8 callers with short and long
 *                  prompts and pictures, through the engine
 *   --provider P   instead: level `auto` as P runs it (webgpu, cuda, auto) beside the processor
 *   --quick        8 layers and 4 vision blocks instead of 32 and 39
 *   --rounds N     turns of each subject
 *   --threads N    for every subject; all cores unless given
 *   --no-llama     without llama.cpp
 *   --plots        write docs/images anew
 */
import { execFile } from "node:child_process";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { manifestName } from "../../lib/model/src/manifest.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { prepack } from "../../lib/runtime/src/engine/graphCopies.ts";
import { withHugePages } from "../../lib/runtime/src/engine/hugePages.ts";
import type { LevelName } from "../../lib/convert/src/quantize/registry.ts";
import { compareWithProcessor, readProvider } from "./device.ts";
import { fullDepth, quickDepth } from "./dimensions.ts";
import { growthCharts } from "./growth.ts";
import { measureLoad, printLoad } from "./load.ts";
import { describeMachine, memoryBandwidth, memoryOf } from "./machine.ts";
import type { Measurement } from "./messages.ts";
import { writeRandomGguf, type GgufFormat } from "./randomGguf.ts";
import { writeRandomModel } from "./randomModel.ts";
import { printTable, summarize } from "./report.ts";
import { addSamples, type Samples } from "./statistics.ts";
import { startSubject, type Subject } from "./subject.ts";

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
    llama: { type: "boolean", default: true },
    load: { type: "boolean", default: false },
    provider: { type: "string" },
    plots: { type: "boolean", default: false },
  },
  allowNegative: true,
});
const depth = options.quick ? quickDepth : fullDepth;
const rounds = Number(options.rounds ?? (options.quick ? 5 : 7));
const { threads } = options;

const root = fileURLToPath(new URL("../../", import.meta.url));
const artefacts = join(root, "test/artefacts/bench");
const measured = levelsFor(options);
const folder = join(artefacts, [`model-${depth.layers}-${depth.blocks}`, ...measured].join("-"));
const here = (name: string) => new URL(name, import.meta.url);
const program = (name: string) => fileURLToPath(here(name));
const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

const samples: Samples = new Map();
const bytes: Record<string, number> = {};

await mkdir(artefacts, { recursive: true });
await prepareModel();
if (options.load) {
  say("load");
  printLoad(await measureLoad(folder, "int4", options.quick ? 20 : 60));
  process.exit();
}
if (options.provider !== undefined) {
  await compareWithProcessor(folder, "auto", readProvider(options.provider));
  process.exit();
}
const ggufs = options.llama ? await prepareLlama() : [];
await measureLanguageModels();
await measureVision();
await measureStart();
await measureMemory();
bytes["memory bandwidth"] = await memoryBandwidth(Number(threads));
const machine = describeMachine(Number(threads));
const rows = summarize(samples, bytes);
printTable(rows, machine, depth);
const file = join(artefacts, `${options.quick ? "quick" : "full"}.json`);
const result = { machine, depth, rounds, rows, bytes, milliseconds: Object.fromEntries(samples) };
await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
say(`written to ${file}`);
if (options.plots) {
  const images = join(root, "docs/images");
  await mkdir(images, { recursive: true });
  for (const [name, svg] of growthCharts(samples, depth)) await writeFile(join(images, name), svg);
}

function levelsFor({ load, provider }: { load: boolean; provider?: string }): LevelName[] {
  if (load) return ["int4"];
  return provider === undefined ? ["int4", "auto", "int8", "fp32"] : ["auto"];
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function prepareModel(): Promise<void> {
  if (!(await exists(join(folder, manifestName)))) {
    say("writing a random model");
    await writeRandomModel(folder, depth, measured);
  }
  const { levels, files } = await readManifest(folder);
  for (const [level, { phi }] of Object.entries(levels))
    bytes[`${level} weights`] = files.find(({ path }) => path === `${phi}.data`)!.bytes;
}

async function prepareLlama(): Promise<{ format: GgufFormat; path: string }[]> {
  say("installing llama.cpp");
  await run("pnpm", ["install", "--frozen-lockfile", "--ignore-scripts"], {
    cwd: program("llama"),
  });
  const files = [];
  for (const format of ["Q4_0", "Q8_0"] as const) {
    const path = join(artefacts, `phi2-${depth.layers}-${format}.gguf`);
    if (!(await exists(path))) {
      say(`writing a random ${format} model`);
      await writeRandomGguf(`${path}.partial`, depth, format);
      await rename(`${path}.partial`, path);
    }
    files.push({ format, path });
  }
  return files;
}

function ours(level: string, part: string): Promise<Subject> {
  return startSubject(level, here("ours.ts"), [folder, level, threads, part]);
}

/** Every subject in turn, as many rounds as asked for. */
async function measure(
  subjects: readonly Subject[],
  name: string,
  what: Measurement,
  turns = rounds,
) {
  say(name);
  for (let round = 0; round < turns; round++)
    for (const subject of subjects)
      addSamples(samples, `${subject.name} ${name}`, await subject.measure(what));
}

async function measureLanguageModels(): Promise<void> {
  say("loading language models");
  const int4 = await ours("int4", "languageModel");
  const auto = await ours("auto", "languageModel");
  const int8 = await ours("int8", "languageModel");
  const theirs = [];
  for (const { format, path } of ggufs)
    theirs.push(await startSubject(format, here("llama/llama.ts"), [path, threads]));
  const all = [int4, auto, int8, ...theirs];
  const decode = (context: number, batch = 1): Measurement => ({
    kind: "decode",
    context,
    batch,
    steps: 8,
  });
  try {
    for (const context of [150, 1000]) await measure(all, `decode ${context}`, decode(context));
    await measure(all, "prefill 128", { kind: "prefill", tokens: 128 });
    for (const batch of [1, 2, 4, 8])
      await measure([int4, auto], `batch ${batch}`, decode(150, batch));
    const growing = all.filter(({ name }) => name === "int4" || name === "Q4_0");
    for (const context of [128, 256, 512, 1024, 1536, 2000])
      await measure(growing, `context ${context}`, decode(context), Math.ceil(rounds / 2));
    const alone = await memoryOf(int4.pid);
    const second = await ours("int4", "languageModel");
    await second.measure({ kind: "prefill", tokens: 16 });
    const shared = await memoryOf(second.pid);
    await second.close();
    bytes["int4 language model, resident"] = alone.rss;
    bytes["int4 language model, of its own (anonymous)"] = alone.anonymous;
    bytes["second process of it, proportional"] = shared.pss;
  } finally {
    for (const subject of all) await subject.close();
  }
}

async function measureVision(): Promise<void> {
  const subjects = [await ours("fp32", "vision"), await ours("int8", "vision")];
  try {
    await measure(subjects, "picture", { kind: "picture" }, Math.min(rounds, 3));
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

/** From the start of a process to the first token: with nothing in the page cache, with the files there, with a pre-packed copy. */
async function measureStart(): Promise<void> {
  say("start");
  const { levels } = await readManifest(folder);
  await prepack(folder, { levels: ["int4"] });
  const data = join(folder, `${levels.int4!.phi}.data`);
  const start = async (key: string, copies: string) => {
    const begin = performance.now();
    await computing(["firstToken.ts", "int4", copies]);
    addSamples(samples, key, [performance.now() - begin]);
  };
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    // GNU dd asks the kernel to forget a file's pages; where there is no such dd, cold is not measured.
    const forgotten = await run("dd", [`if=${data}`, "iflag=nocache", "count=0"]).catch(
      () => undefined,
    );
    if (forgotten) await start("int4 cold start", "no");
    await start("int4 warm start, no copy", "no");
    await start("int4 warm start", "yes");
  }
}

/** Runs a program on the model in the environment that the engine has. */
function computing([name, level, ...more]: [name: string, level: string, ...more: string[]]) {
  const args = [program(name), folder, level, threads, ...more];
  return run(process.execPath, args, { env: withHugePages(process.env) });
}

async function measureMemory(): Promise<void> {
  say("memory");
  for (const level of ["int4", "int8"]) {
    const { stdout } = await computing(["answerPicture.ts", level]);
    bytes[`${level} whole model, peak`] = Number(stdout);
  }
}
