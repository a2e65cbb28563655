import { join } from "node:path";
import { rolldown, type InputOptions, type Plugin } from "rolldown";
import { startedByPath } from "./startedByPath.ts";

export interface BundleOptions {
  /** Name of an output file, without its ending -> path of the program. */
  readonly entries: Readonly<Record<string, string>>;
  readonly out: string;
  readonly platform: "node" | "edge";
  /** Packages that stay outside: native ones. */
  readonly external?: readonly string[];
}

export interface Bundle {
  /** Paths of its files. */
  readonly files: readonly string[];
  /** What was left outside: specifier -> path of the source that imports it. */
  readonly imported: ReadonlyMap<string, string>;
  /** Files of packages whose place is asked for at run time: specifier -> path of the source that asks. */
  readonly resolved: ReadonlyMap<string, string>;
  /** Path of the first program's source: what its packages are, its bundle's are, too. */
  readonly source: string;
}

const platforms: Readonly<Record<BundleOptions["platform"], InputOptions>> = {
  node: { platform: "node" },
  // What edge runtimes have is what workers in a browser have.
  edge: {
    platform: "neutral",
    resolve: {
      conditionNames: ["workerd", "worker", "browser", "import", "default"],
      mainFields: ["module", "main"],
    },
  },
};

/**
 * Bundles programs, each into a file of its own, with all they import but the
 * packages left outside. A program that is started by its path becomes one of
 * the files, too.
 */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const { entries, out, platform, external = [] } = options;
  const imported = new Map<string, string>();
  const resolved = new Map<string, string>();
  const isOutside = (id: string) =>
    external.some((name) => id === name || id.startsWith(`${name}/`));
  const build = await rolldown({
    input: { ...entries },
    ...platforms[platform],
    external(id, importer) {
      if (!isOutside(id)) return false;
      if (importer !== undefined) imported.set(id, importer);
      return true;
    },
    plugins: [startedByPath("beside"), noteResolved(resolved)],
  });
  const { output } = await build.write({ dir: out, format: "esm", entryFileNames: "[name].js" });
  await build.close();
  const [source = ""] = Object.values(entries);
  return { files: output.map(({ fileName }) => join(out, fileName)), imported, resolved, source };
}

function noteResolved(resolved: Map<string, string>): Plugin {
  return {
    name: "note-resolved",
    transform(code, id) {
      for (const [, name] of code.matchAll(/import\.meta\.resolve\("([^".][^"]*)"\)/g))
        resolved.set(name!, id);
    },
  };
}
