/**
 * Pictures kept beside a notebook, wherever a cell names them: a picture cell by
 * its file, a text by an address like `![a](sha256:…#apple.png)`. What follows
 * the `#` is the name the picture had where it came from.
 */
import type { Cell } from "./cell.ts";
import { contentHash } from "./hash.ts";

const prefix = "sha256:";

/** As cells name kept content. */
export const keptName = (hash: string): string => prefix + hash;

/** `sha256:…` in a cell -> the file's name in the side folder. */
export const sideFileName = (reference: string): string => reference.replace(prefix, "sha256-");

/** Whether a reference to a picture names kept bytes, `sha256:HEX`. */
export const isKeptContent = (reference: string): boolean =>
  /^sha256:[0-9a-f]{64}$/.test(reference);

const inText = /(sha256:[0-9a-f]{64})(?:#([^\s)"'<>]*))?/g;

/** Names (`sha256:…`) of the pictures a cell shows, without repetitions. */
export function keptIn(cell: Cell): string[] {
  if (cell.type === "picture") return isKeptContent(cell.file) ? [cell.file] : [];
  if (cell.type !== "text") return [];
  return [...new Set([...cell.source.matchAll(inText)].map(([, file = ""]) => file))];
}

/** A Markdown picture of kept bytes. */
export const keptAddress = (bytes: Uint8Array, name: string): string =>
  `${keptName(contentHash(bytes))}#${encodeURIComponent(name)}`;

/** Every address of a kept picture in a text turned into another. */
export const withAddresses = (
  text: string,
  change: (file: string, name: string | undefined, address: string) => string,
): string =>
  text.replace(inText, (address: string, file: string, name?: string) =>
    change(file, name, address),
  );
