import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { manifestName } from "@tinygptv/model";
import { whatWasRead } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";

/** Folders below the one named that are looked into. */
const depth = 3;

/** Model folders at or below a folder. @throws TinyGptvError "io" where it cannot be read */
export async function findModels(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    const found = whatWasRead(cause);
    throw new TinyGptvError("io", `${folder}: want a folder with models, got ${found}`, { cause });
  });
  return look(folder, entries, depth);
}

type Entries = Awaited<ReturnType<typeof entriesOf>>;
const entriesOf = (folder: string) => readdir(folder, { withFileTypes: true });

async function look(folder: string, entries: Entries, levels: number): Promise<string[]> {
  if (entries.some((entry) => entry.isFile() && entry.name === manifestName)) return [folder];
  if (levels === 0) return [];
  const found = entries
    .filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
    .map(async ({ name }) => {
      const below = join(folder, name);
      return look(below, await entriesOf(below), levels - 1);
    });
  return (await Promise.all(found)).flat();
}
