/** A small notebook in an address: what a comparison asks travels as a link, without any server. */
import { deflateSync, inflateSync, strFromU8, strToU8 } from "fflate";
import { cellNamed, fromMarkdown, toMarkdown } from "@tinygptv/notebook";
import type { Cell, CellOf, Notebook, ReadMarkdown } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";

/** Addresses beyond this are cut by some programs that pass them on. */
const maxLength = 8000;

export function toFragment(notebook: Notebook): string {
  const packed = deflateSync(strToU8(toMarkdown(notebook)), { level: 9 });
  return btoa(String.fromCharCode(...packed))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** @throws TinyGptvError "parameter" where the address was cut or changed */
export function fromFragment(fragment: string): ReadMarkdown {
  if (fragment.length > maxLength)
    throw new TinyGptvError(
      "parameter",
      `link: want at most ${maxLength} characters, got ${fragment.length}`,
    );
  try {
    const packed = Uint8Array.from(
      atob(fragment.replaceAll("-", "+").replaceAll("_", "/")),
      (character) => character.charCodeAt(0),
    );
    return fromMarkdown(strFromU8(inflateSync(packed)), "link");
  } catch (cause) {
    if (cause instanceof TinyGptvError) throw cause;
    throw new TinyGptvError(
      "parameter",
      "link: it was cut or changed on the way; ask for it again",
      { cause },
    );
  }
}

/** A comparison and the pictures it asks about, as a notebook of their own. */
export function comparisonAlone(notebook: Notebook, cell: CellOf<"compare">): Notebook {
  const pictures = cell.pictures.flatMap((name): Cell[] => {
    const picture = cellNamed(notebook, name);
    return picture === undefined ? [] : [picture];
  });
  return {
    ...(notebook.model !== undefined && { model: notebook.model }),
    title: `Comparison: ${cell.name ?? notebook.title}`.slice(0, 200),
    cells: [...pictures, cell],
  };
}
