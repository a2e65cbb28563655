import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = (await readdir(path)).map((name) => sizeOf(join(path, name)));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Files and folders of a function with their sizes; packages by themselves, bundled code as one. */
async function measure(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const inside = name === "node_modules" ? await readdir(join(folder, name)) : [""];
    for (const part of inside) {
      const label = name.endsWith(".js") ? "bundled code" : join(name, part);
      sizes.set(label, (sizes.get(label) ?? 0) + (await sizeOf(join(folder, name, part))));
    }
  }
  return sizes;
}

/**
 * What a function consists of and how large it is, in lines to print.
 * @param limit bytes the platform allows for all of it
 * @throws TinyGptvError "parameter" where it is larger than that
 */
export async function reportSizes(folder: string, limit: number): Promise<string> {
  const sizes = await measure(folder);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const lines = [...sizes, ["together", total] as const].map(
    ([name, size]) => `${megabytes(size).padStart(10)}  ${name}`,
  );
  const report = [folder, ...lines].join("\n");
  if (total <= limit) return report;
  throw new TinyGptvError(
    "parameter",
    `function: want at most ${megabytes(limit)}, got ${megabytes(total)}:\n${report}`,
  );
}
