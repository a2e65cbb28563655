import { readdir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { shorten } from "@tinygptv/protocol";
import { dataError } from "./mistakes.ts";

/** Which pictures there are; folders are read once, since they hold tens of thousands. */
export interface Pictures {
  /** Path of a picture, named relative to the folder or by its whole path; undefined where there is none. */
  find(name: string): Promise<string | undefined>;
  /** The same for one that is needed. @throws TinyGptvError "data": there is none */
  need(name: string, place: string): Promise<string>;
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
  const find = async (name: string) => {
    const path = resolve(folder, name);
    return (await list(dirname(path))).has(basename(path)) ? path : undefined;
  };
  return {
    find,
    async need(name, place) {
      const path = await find(name);
      if (path === undefined)
        throw dataError(place, `want the picture ${shorten(name)}, got no such file`);
      return path;
    },
  };
}
