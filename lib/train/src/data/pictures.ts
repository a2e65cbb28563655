import { readdir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

/** Which pictures there are; folders are read once, since they hold ten thousands. */
export interface Pictures {
  /** Path of a picture, named relative to the folder or by its whole path; undefined where there is none. */
  find(name: string): Promise<string | undefined>;
}

export function picturesIn(folder: string): Pictures {
  const listings = new Map<string, Promise<ReadonlySet<string>>>();
  const list = (path: string) => {
    const known = listings.get(path);
    if (known) return known;
    const listing = readdir(path).then(
      (names) => new Set(names),
      () => new Set<string>(),
    );
    listings.set(path, listing);
    return listing;
  };
  return {
    async find(name) {
      const path = resolve(folder, name);
      return (await list(dirname(path))).has(basename(path)) ? path : undefined;
    },
  };
}
