/** The packages as others get them: packed, and installed into a project outside the workspace. */
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, realpath, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Packed {
  /** Path of the tarball. */
  tarball: string;
  /** Dependency -> version, as the packed package.json has them. */
  dependencies: Record<string, string>;
  /** The package's folder in the workspace. */
  folder: string;
}

/** Packs every package that others may install: name -> what was packed. They must be built. */
export async function packPackages(out: string): Promise<Map<string, Packed>> {
  const lib = (await readdir(join(root, "lib"))).map((name) => join(root, "lib", name));
  const packed = new Map<string, Packed>();
  const others = ["functions/inference", "apps/playground", "apps/cli"];
  for (const folder of [...lib, ...others.map((name) => join(root, name))]) {
    const { stdout } = await run("pnpm", ["pack", "--json", "--pack-destination", out], {
      cwd: folder,
    });
    const { name, filename } = JSON.parse(stdout) as { name: string; filename: string };
    const tarball = join(out, basename(filename));
    packed.set(name, { tarball, folder, dependencies: await dependenciesOf(tarball) });
  }
  return packed;
}

async function dependenciesOf(tarball: string): Promise<Record<string, string>> {
  const { stdout } = await run("tar", ["-xOf", tarball, "package/package.json"]);
  return (JSON.parse(stdout) as { dependencies?: Record<string, string> }).dependencies ?? {};
}

/**
 * Makes a project that has some of the packages. What they need of the registry
 * is linked from the workspace, so nothing comes over the network; what they do
 * not declare they do not get.
 */
export async function installInto(
  project: string,
  packed: ReadonlyMap<string, Packed>,
  names: readonly string[],
): Promise<void> {
  const overrides: Record<string, string> = {};
  for (const [name, { tarball, dependencies, folder }] of packed) {
    overrides[name] = `file:${tarball}`;
    for (const dependency of Object.keys(dependencies)) {
      if (packed.has(dependency)) continue;
      overrides[dependency] = `link:${await realpath(join(folder, "node_modules", dependency))}`;
    }
  }
  const dependencies = Object.fromEntries(names.map((name) => [name, overrides[name]]));
  await mkdir(project, { recursive: true });
  const manifest = { name: "outside", private: true, type: "module", dependencies };
  await writeFile(join(project, "package.json"), JSON.stringify(manifest));
  // JSON is YAML, too.
  await writeFile(join(project, "pnpm-workspace.yaml"), JSON.stringify({ overrides }));
  await run("pnpm", ["install", "--offline"], { cwd: project });
}

/** Names of all packages that a project reaches, what it was linked to included. */
export async function reachedFrom(project: string): Promise<string[]> {
  const store = join(project, "node_modules/.pnpm");
  const names = new Set<string>();
  for (const entry of await readdir(store)) {
    if (!entry.includes("@")) continue; // pnpm's own
    const modules = join(store, entry, "node_modules");
    for (const name of await readdir(modules)) {
      const scoped = name.startsWith("@") ? await readdir(join(modules, name)) : undefined;
      for (const full of scoped?.map((rest) => `${name}/${rest}`) ?? [name]) {
        names.add(full);
        const text = await readFile(join(modules, full, "package.json"), "utf8");
        const { dependencies = {} } = JSON.parse(text) as { dependencies?: object };
        for (const dependency of Object.keys(dependencies)) names.add(dependency);
      }
    }
  }
  return [...names].toSorted();
}
