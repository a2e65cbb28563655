/** Shared libraries as the loader of Linux finds them. */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

/** Where a library of this name is, undefined where it is not. */
export type FindLibrary = (name: string) => Promise<string | undefined>;

/**
 * Looks in folders, then in LD_LIBRARY_PATH, then where `ldconfig` has collected them.
 * @param first folders that go before
 */
export function libraryFinder(
  first: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): FindLibrary {
  const folders = [...first, ...(env["LD_LIBRARY_PATH"] ?? "").split(delimiter).filter(Boolean)];
  return async (name) => {
    if (isAbsolute(name)) return (await isThere(name)) ? name : undefined;
    for (const folder of folders) {
      const path = join(folder, name);
      if (await isThere(path)) return path;
    }
    const line = (await collected()).split("\n").find((text) => text.trim().startsWith(`${name} `));
    return line?.split(" => ")[1];
  };
}

/** Everything `ldconfig` knows of; not on the PATH of everybody, and not in every image. */
async function collected(): Promise<string> {
  const { stdout } = await promisify(execFile)("/sbin/ldconfig", ["-p"]).catch(() => ({
    stdout: "",
  }));
  return stdout;
}

/** Names of the libraries that a library needs and the loader does not find. */
export async function missingFor(library: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ldd", [library]);
  return [...stdout.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name]) => name!);
}

/** Folder of ONNX Runtime's native part, once it is loaded into this process. */
export function bindingFolder(): string | undefined {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  report.excludeNetwork = true; // names of peers would be looked up
  const { sharedObjects } = report.getReport() as { sharedObjects: string[] };
  const binding = sharedObjects.find((path) => path.endsWith("onnxruntime_binding.node"));
  return binding && dirname(binding);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
