/** A deployment as Vercel reads it: what is written down of Build Output API v3, and its routing. */
import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const routeSchema = z.union([
  z.strictObject({ handle: z.literal("filesystem") }),
  z.strictObject({
    src: z.string(),
    dest: z.string().startsWith("/").optional(),
    headers: z.record(z.string(), z.string()).optional(),
    continue: z.boolean().optional(),
  }),
]);
const configSchema = z.strictObject({ version: z.literal(3), routes: z.array(routeSchema) });

const functionSchema = z.discriminatedUnion("runtime", [
  z.strictObject({
    runtime: z.literal("edge"),
    entrypoint: z.string(),
    envVarsInUse: z.array(z.string()),
  }),
  z.strictObject({
    runtime: z.literal("nodejs22.x"),
    handler: z.string(),
    launcherType: z.literal("Nodejs"),
    shouldAddHelpers: z.boolean(),
    supportsResponseStreaming: z.boolean(),
    maxDuration: z.number().int().max(300),
  }),
]);

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));

/** Paths of all files in a folder, relative to it. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Runs a build script as a user does. */
export const runBuild = (script: URL, ...args: string[]) =>
  promisify(execFile)(process.execPath, [script.pathname, ...args]);

/** Reads a deployment; throws where it is none. */
export async function readOutput(output: string) {
  const { routes } = configSchema.parse(await readJson(join(output, "config.json")));
  const functions = (await readdir(join(output, "functions"))).map((name) =>
    join(output, "functions", name),
  );
  const [folder = ""] = functions;
  const config = functionSchema.parse(await readJson(join(folder, ".vc-config.json")));
  await stat(join(folder, config.runtime === "edge" ? config.entrypoint : config.handler));
  const statics = await filesIn(join(output, "static"));

  /** What answers at a path: a static file, the function, or nothing. */
  function route(path: string): string | undefined {
    const find = (name: string) =>
      statics.includes(name.slice(1))
        ? name
        : functions.includes(join(output, "functions", `${name.slice(1)}.func`))
          ? "function"
          : undefined;
    for (const one of routes) {
      if ("handle" in one) {
        const found = find(path);
        if (found !== undefined) return found;
      } else if (!one.continue && one.dest !== undefined && new RegExp(one.src).test(path))
        return find(one.dest);
    }
    return find(path);
  }

  /** Headers that are put on the answer at a path. */
  function headersAt(path: string): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const one of routes) {
      if ("handle" in one || !new RegExp(one.src).test(path)) continue;
      Object.assign(headers, one.headers);
      if (!one.continue) break;
    }
    return headers;
  }
  return { folder, config, statics, route, headersAt };
}
