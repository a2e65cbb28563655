import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Folders that are made from sources and so are none. */
const made = new Set(["node_modules", "build", "dist", "converted", ".svelte-kit"]);

export interface Build {
  /** Names its record under `.cache`. */
  name: string;
  /** Files and folders that it is made of. */
  inputs: readonly string[];
  /** Exists once it has been built. */
  output: string;
}

/**
 * Runs `build` if its output is missing or the contents of its inputs are not
 * those of the last run that succeeded. Whoever wants the same beside it
 * (`npm start` beside `npm test`) waits, and finds it built.
 */
export async function whenChanged(thing: Build, build: () => Promise<void>): Promise<void> {
  // Only here: it needs packages, and what installs those imports this file.
  const { withFolderLock } = await import("../functions/inference/src/store/folderLock.ts");
  await withFolderLock(join(".cache", `${thing.name}.lock`), () => buildIfChanged(thing, build));
}

async function buildIfChanged(
  { name, inputs, output }: Build,
  build: () => Promise<void>,
): Promise<void> {
  const record = join(".cache", `${name}.sha256`);
  const now = await fingerprint(inputs);
  if (existsSync(output) && existsSync(record) && (await readFile(record, "utf8")) === now) return;
  await rm(record, { force: true });
  await build();
  await mkdir(".cache", { recursive: true });
  await writeFile(record, now);
}

/** sha256, hex, of the names and contents of all files at and below the given paths. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for await (const file of filesAt(path)) {
      const content = await readFile(file);
      hash.update(`${file}\n${content.byteLength}\n`).update(content);
    }
  }
  return hash.digest("hex");
}

/** The files at or below a path, in a fixed order. */
async function* filesAt(path: string): AsyncGenerator<string> {
  if (!(await stat(path)).isDirectory()) {
    yield path;
    return;
  }
  for (const name of (await readdir(path)).toSorted()) {
    if (!made.has(name)) yield* filesAt(join(path, name));
  }
}
