/**
 * Node and pnpm in the versions the project needs: those on the PATH if they
 * fit, else those fetched before, else fetched now with npx. The place is
 * remembered, so that later runs need no network.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { adviceOn } from "./advice.mjs";
import { runProgram } from "./program.mjs";

/**
 * Node 22.18 is the first that runs TypeScript without a flag; float16 tensors
 * of onnxruntime-node 1.30 fail on Node 24.
 */
const wanted = [
  { program: "node", package: nodePackage(), major: 22, minor: 18 },
  { program: "pnpm", package: "pnpm", major: 12, minor: 0 },
];

/** Remembers the folder of fetched programs. */
const record = ".cache/toolchain";

/**
 * The PATH on which `node` and `pnpm` are the wanted ones; undefined, after
 * saying why, where they could not be had.
 *
 * @returns {Promise<string | undefined>}
 */
export async function bringToolchain() {
  const path = process.env.PATH ?? "";
  const known = [path];
  if (existsSync(record)) known.push(readFileSync(record, "utf8").trim() + delimiter + path);
  return known.find(hasToolchain) ?? (await fetchToolchain(path));
}

/**
 * @param {string} version as `--version` prints it
 * @param {{ major: number, minor: number }} wanted
 */
function fits(version, { major, minor }) {
  const [, foundMajor, foundMinor] = /^v?(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(foundMajor) === major && Number(foundMinor) >= minor;
}

/** @param {string} path */
function hasToolchain(path) {
  return wanted.every(({ program, ...version }) => {
    const { stdout } = spawnSync(program, ["--version"], {
      encoding: "utf8",
      // Corepack's pnpm would otherwise download something to answer this.
      env: { ...process.env, PATH: path, COREPACK_ENABLE_NETWORK: "0" },
    });
    return fits(stdout ?? "", version);
  });
}

/** @param {string} path */
async function fetchToolchain(path) {
  const names = wanted.map(({ program, major }) => `${program} ${major}`).join(" and ");
  console.log(`Fetching ${names} with npx (about 100 MB, only once) ...`);
  const { code, output } = await runProgram(
    "npx",
    [
      "--yes",
      "--loglevel=error",
      ...wanted.map((each) => `--package=${each.package}@${each.major}`),
      "--call=command -v pnpm",
    ],
    { output: "keep" },
  );
  const [, folder] = /^(.+)\/pnpm$/m.exec(output) ?? [];
  if (code === 0 && folder && hasToolchain(folder + delimiter + path)) {
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(record, `${folder}\n`);
    return folder + delimiter + path;
  }
  console.error(output);
  console.error(`${names} could not be fetched. ${adviceOn(output)}`);
  return undefined;
}

/**
 * The package that holds the program for this machine. npm's `node` package
 * fetches the same one, with an install script, which not every machine allows.
 */
function nodePackage() {
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${process.platform}-${process.arch}`;
}
