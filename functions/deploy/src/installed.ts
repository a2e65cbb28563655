import { copyFile, lstat, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { nodeFileTrace, resolve } from "@vercel/nft";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Bundle } from "./bundle.ts";

/** Native parts for other machines than the function's, and ONNX Runtime's for a GPU. */
const forOthers = /\/napi-v6\/(?!linux\/x64\/)\w+\/\w+\/|\/libonnxruntime_providers_/;

/** The native packages of the machine that functions run on; an installation for another system lacks them. */
const wanted = [
  "onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node",
  "onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1",
  "@img/sharp-linux-x64/",
  "@img/sharp-libvips-linux-x64/",
];

/**
 * Copies what bundled programs need of the installed packages into a
 * `node_modules` beside them: traced, so that it is no more than they load.
 * @throws TinyGptvError "parameter" where a native part for Linux x64 is not installed
 */
export async function copyInstalled(
  folder: string,
  { imported, resolved, source }: Bundle,
): Promise<void> {
  // Not the programs themselves: whatever of the machine they name, home folders and all, would be
  // taken for a part of them.
  const imports = join(folder, "imports.mjs");
  const lines = [
    ...Array.from(imported.keys(), (id) => `import "${id}";\n`),
    ...Array.from(resolved.keys(), (id) => `import.meta.resolve("${id}");\n`),
  ];
  await writeFile(imports, lines.join(""));
  const { fileList } = await nodeFileTrace([imports], {
    base: "/",
    ignore: (path) => forOthers.test(`/${path}`),
    // The names in a bundle are resolved from where its sources stand.
    resolve: (id, parent, job, isCjs) =>
      resolve(
        id,
        parent === imports ? (imported.get(id) ?? resolved.get(id) ?? source) : parent,
        job,
        isCjs,
      ),
  }).finally(() => rm(imports));
  const files = [...fileList]
    .map((path) => `/${path}`)
    .filter((path) => path.includes("/node_modules/"));

  /** Place in node_modules -> where it is installed. */
  const places = new Map<string, string>();
  for (const file of files) {
    if ((await lstat(file)).isSymbolicLink()) continue;
    const place = file.slice(file.lastIndexOf("/node_modules/") + 1);
    const other = places.get(place);
    if (other !== undefined && other !== file)
      throw new TinyGptvError("parameter", `${place}: want one version, got ${other} and ${file}`);
    places.set(place, file);
  }
  for (const name of wanted)
    if (![...places.keys()].some((place) => place.startsWith(`node_modules/${name}`)))
      throw new TinyGptvError(
        "parameter",
        `${name}: want it installed for the function's system, got nothing; ` +
          "run pnpm install --os=linux --cpu=x64 --libc=glibc",
      );
  for (const [place, file] of places) {
    await mkdir(dirname(join(folder, place)), { recursive: true });
    await copyFile(file, join(folder, place));
  }
}
