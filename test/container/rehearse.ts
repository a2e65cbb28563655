/**
 * Runs the steps of deploy/Dockerfile in clean folders, then the program as the image would,
 * and says how long it takes from its start to its first answer (`pnpm test:container`).
 * Not a container: the system's own Node runs, and steps that change an image's system are
 * named and passed over.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, matchesGlob, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { stagesOf, variablesOf } from "./dockerfile.ts";
import type { Instruction, Stage } from "./dockerfile.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));
/** What only an image's system can take. */
const ofSystem = /^(apt-get|npm install --global|install --directory) /;
const key = "key-of-the-rehearsal";

interface BuiltStage {
  root: string;
  workdir: string;
  env: Record<string, string>;
  commands: Record<string, string[]>;
}

const scratch = await mkdtemp(join(tmpdir(), "rehearsal-"));
const built = new Map<string, BuiltStage>();
try {
  const context = await copyContext();
  const dockerfile = await readFile(join(repository, "deploy/Dockerfile"), "utf8");
  for (const stage of stagesOf(dockerfile)) built.set(stage.name, await build(stage, context));
  await start(built.get("cpu")!);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** The files that are sent to a build: those of the repository that are not ignored. */
async function copyContext(): Promise<string> {
  const context = join(scratch, "context");
  const ignored = await readFile(join(repository, "deploy/Dockerfile.dockerignore"), "utf8");
  const patterns = ignored.split("\n").filter(Boolean);
  const { stdout } = await run("git", ["ls-files", "-co", "--exclude-standard"], {
    cwd: repository,
    maxBuffer: 1e8,
  });
  const isIgnored = (file: string) =>
    patterns.some((one) => matchesGlob(file, one) || matchesGlob(file, `${one}/**`));
  for (const file of stdout
    .trim()
    .split("\n")
    .filter((name) => !isIgnored(name))) {
    await mkdir(dirname(join(context, file)), { recursive: true });
    await cp(join(repository, file), join(context, file));
  }
  return context;
}

async function build(stage: Stage, context: string): Promise<BuiltStage> {
  const root = join(scratch, "stages", stage.name);
  await mkdir(root, { recursive: true });
  const parent = built.get(stage.from);
  if (parent !== undefined) await run("cp", ["-a", `${parent.root}/.`, root]);
  const now: BuiltStage = {
    root,
    workdir: parent?.workdir ?? "/",
    env: { ...parent?.env },
    commands: { ...parent?.commands },
  };
  for (const instruction of stage.instructions) await carryOut(instruction, now, context);
  return now;
}

async function carryOut(
  { keyword, text }: Instruction,
  stage: BuiltStage,
  context: string,
): Promise<void> {
  const cwd = join(stage.root, stage.workdir);
  switch (keyword) {
    case "WORKDIR":
      stage.workdir = resolve(stage.workdir, text);
      return void (await mkdir(join(stage.root, stage.workdir), { recursive: true }));
    case "ENV":
      return void Object.assign(stage.env, variablesOf(text));
    case "COPY":
      return copy(text, stage, context);
    case "RUN": {
      if (ofSystem.test(text)) return console.log(`passed over: ${text}`);
      const begin = performance.now();
      await run("sh", ["-c", text], { cwd, env: { ...process.env, ...stage.env, CI: "true" } });
      return console.log(`${((performance.now() - begin) / 1000).toFixed(1)} s: ${text}`);
    }
    case "ENTRYPOINT":
    case "CMD":
      stage.commands[keyword] = JSON.parse(text) as string[];
      return;
    case "HEALTHCHECK":
      stage.commands[keyword] = JSON.parse(text.slice(text.indexOf("["))) as string[];
      return;
    // How a container is started, which happens here without one.
    case "USER":
    case "VOLUME":
    case "EXPOSE":
      return;
    default:
      throw new Error(`${keyword}: want an instruction that is rehearsed, got ${keyword} ${text}`);
  }
}

async function copy(text: string, stage: BuiltStage, context: string): Promise<void> {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const [to = "", ...sources] = words.filter((word) => !word.startsWith("--")).toReversed();
  const base = from === undefined ? context : built.get(from)!.root;
  const target = join(stage.root, resolve(stage.workdir, to));
  for (const source of sources) {
    const path = join(base, source);
    const isFolder = (await stat(path)).isDirectory();
    await mkdir(isFolder || to.endsWith("/") ? target : dirname(target), { recursive: true });
    await run("cp", ["-a", isFolder ? `${path}/.` : path, target]);
  }
}

/** Starts what the image would start, asks it about nothing but words, and looks at its health. */
async function start({ root, workdir, env, commands }: BuiltStage): Promise<void> {
  const cwd = join(root, workdir);
  const { stdout } = await run("du", ["-sm", cwd]);
  console.log(`${stdout.split("\t")[0]} MB in ${workdir}`);
  const port = await freePort();
  const data = join(scratch, "data");
  const environment = {
    PATH: process.env["PATH"],
    ...env,
    HOST: "127.0.0.1",
    PORT: String(port),
    TINYGPTV_KEYS: key,
    TINYGPTV_STORE: join(data, "store"),
    TINYGPTV_MODEL_CACHE: join(data, "models"),
  };
  const [program = "", ...args] = [...commands["ENTRYPOINT"]!, ...commands["CMD"]!];
  const before = await filesIn(cwd);
  const begin = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await new Promise<void>((listening, fail) => {
      child.stdout.on("data", (chunk) => String(chunk).includes('"listening"') && listening());
      child.once("exit", (code) => fail(new Error(`the program ended with ${code}`)));
    });
    const listening = performance.now() - begin;
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "What do you see?" }] }),
    });
    if (!response.ok) throw new Error(`the answer has status ${response.status}`);
    await response.text();
    const answered = performance.now() - begin;
    await run(commands["HEALTHCHECK"]![0]!, commands["HEALTHCHECK"]!.slice(1), {
      env: environment,
    });
    const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    if (!page.includes("TinyGPT-V playground")) throw new Error("the playground is not there");
    const after = await filesIn(cwd);
    if (after !== before) throw new Error("the program wrote beside its data");
    console.log(
      `listens after ${(listening / 1000).toFixed(1)} s, has answered after ${(answered / 1000).toFixed(1)} s`,
    );
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

/** Names and times of change, as one text. */
async function filesIn(folder: string): Promise<string> {
  const args = [folder, "-type", "f", "-printf", "%p %T@\n"];
  return (await run("find", args, { maxBuffer: 1e9 })).stdout;
}

async function freePort(): Promise<number> {
  const trial = createServer().listen(0, "127.0.0.1");
  await once(trial, "listening");
  const { port } = trial.address() as AddressInfo;
  trial.close();
  await once(trial, "close");
  return port;
}
