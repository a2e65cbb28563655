import { cp, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { apiPaths, pageHeaders } from "@tinygptv/protocol/http";

export interface VercelProject {
  /** `.vc-config.json` of the function. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Writes the function's files into a folder. */
  write(folder: string): Promise<void>;
  /** Folder of a site that is served beside it: pages and what they load. */
  readonly site: string | undefined;
}

/** The function answers whatever path leads to it: the request keeps its own. */
const functionName = "endpoint";

/**
 * Writes a function, and a site where there is one, as `vercel deploy
 * --prebuilt` takes it: Build Output API v3,
 * https://vercel.com/docs/build-output-api. What was there before stays until
 * all of it is written.
 * @returns the function's folder
 * @throws TinyGptvError "parameter" for a site without an index page; what `write` throws
 */
export async function writeVercelOutput(
  output: string,
  { config, write, site }: VercelProject,
): Promise<string> {
  if (site !== undefined && !(await isFile(join(site, "index.html"))))
    throw new TinyGptvError("parameter", `${site}: want a folder with index.html, got none`);
  const partial = `${output}.partial`;
  const path = join("functions", `${functionName}.func`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(partial, path), { recursive: true });
  await write(join(partial, path));
  await writeJson(join(partial, path, ".vc-config.json"), config);
  await mkdir(join(partial, "static"));
  if (site !== undefined)
    await cp(site, join(partial, "static"), { recursive: true, filter: isNoCopy });
  const routes = site === undefined ? [toFunction("/.*")] : routesWithSite;
  await writeJson(join(partial, "config.json"), { version: 3, routes });
  await rm(output, { recursive: true, force: true });
  await rename(partial, output);
  return join(output, path);
}

const toFunction = (src: string) => ({ src: `^${src}$`, dest: `/${functionName}` });

/** The API, the site's files, and its one page for every address within it. */
const routesWithSite = [
  ...apiPaths.map((path) => toFunction(path.replaceAll(".", "\\.").replace("*", ".*"))),
  { src: "^/.*$", headers: pageHeaders, continue: true },
  {
    src: "^/_app/immutable/.*$",
    headers: { "cache-control": "public, max-age=31536000, immutable" },
    continue: true,
  },
  { handle: "filesystem" },
  { src: "^/.*$", dest: "/index.html" },
];

/** Whether Vercel should have a file of a site: what it serves it compresses itself. */
const isNoCopy = (path: string) => !/\.(br|gz)$/.test(path);

const writeJson = (path: string, value: unknown) =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
