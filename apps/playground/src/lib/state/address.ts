/** What the page shows at which of its addresses. */
import type { Library } from "./library.svelte.ts";

export type Address = { shows: "own" } | { shows: "comparison" } | { shows: "shared"; id: string };

/** @param path without the first slash */
export function addressOf(path: string): Address | undefined {
  const [first = "", second, ...others] = path.split("/");
  if (others.length > 0) return undefined;
  if (first === "s" && second) return { shows: "shared", id: second };
  if (second !== undefined) return undefined;
  return first === ""
    ? { shows: "own" }
    : first === "compare"
      ? { shows: "comparison" }
      : undefined;
}

/** Opens what is meant; the rest of it is in the browser's address. */
export function openAt(address: Address, library: Library): Promise<void> {
  const { hash, search } = location;
  switch (address.shows) {
    case "own":
      return library.start();
    case "comparison":
      return library.openFragment(hash.slice(1));
    case "shared":
      return library.openShared(new URLSearchParams(search).get("endpoint") ?? "", address.id);
  }
}
