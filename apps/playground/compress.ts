import { readFile, readdir, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** What compresses well, and how hard Brotli tries: at its hardest, megabytes of WebAssembly take a minute. */
const efforts: Readonly<Record<string, number>> = {
  ".html": 11,
  ".js": 11,
  ".json": 11,
  ".css": 11,
  ".svg": 11,
  ".wasm": 6,
};

/** Puts compressed copies (`.br`, `.gz`) beside the files of a folder, for servers that give them out. */
export async function compressFiles(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const effort = efforts[extname(entry.name)];
      if (effort === undefined || !entry.isFile()) return;
      const path = join(entry.parentPath, entry.name);
      const content = await readFile(path);
      const params = { [constants.BROTLI_PARAM_QUALITY]: effort };
      await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
      await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
    }),
  );
}
