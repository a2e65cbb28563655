/**
 * Builds the packages that others may install: modules and declarations, one
 * for each source file (`pnpm run build`). What a package offers is said once,
 * in the `exports` and `bin` of its package.json; entries are the sources there.
 */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { defineConfig } from "tsdown";
import type { UserConfig } from "tsdown";
import { startedByPath } from "./functions/deploy/src/startedByPath.ts";

interface PackageJson {
  exports?: Record<string, string>;
  bin?: Record<string, string>;
}

export default defineConfig(globSync(["lib/*", "functions/inference", "apps/cli"]).map(configOf));

function configOf(folder: string): UserConfig {
  const text = readFileSync(join(folder, "package.json"), "utf8");
  const { exports = {}, bin = {} } = JSON.parse(text) as PackageJson;
  const isLibrary = Object.keys(exports).length > 0;
  return {
    name: basename(folder),
    cwd: folder,
    root: "src",
    entry: [...Object.values(exports), ...Object.values(bin)],
    platform: "node",
    target: "node22.18",
    format: "esm",
    fixedExtension: false,
    // Files stay apart: a stack says where, and programs lie where their starters look for them.
    unbundle: true,
    dts: isLibrary,
    plugins: [startedByPath("kept")],
    report: false,
    checks: { pluginTimings: false },
    // What others would stumble over is an error: missing files, types that do not resolve.
    failOnWarn: true,
    publint: { strict: true, level: "suggestion" },
    attw: isLibrary && { profile: "esm-only", level: "error" },
  };
}
