/**
 * What stands below a cell in Jupyter's format. Ours is there twice: for people
 * (a picture, text, a table) and as data that comes back. What other programs
 * put there is left alone.
 */
import { z } from "zod";
import { TinyGptvError } from "@tinygptv/protocol";
import { fromBase64, toBase64 } from "./base64.ts";
import type { AskingCell, CellOf } from "./cell.ts";
import type { Output } from "./output.ts";
import { checkOutput } from "./outputSchema.ts";
import { pictureType, unknownType } from "./pictureType.ts";
import { markdownTable, plainText } from "./readable.ts";

/** Our output as data; other programs keep what they do not know. */
const outputMime = "application/vnd.tinygptv.output+json";

/** nbformat keeps texts as lists of lines, each with its newline. */
export const sourceLines = (text: string): string[] =>
  text.split(/(?<=\n)/).filter((line) => line !== "");

export const multiline = z
  .union([z.string(), z.array(z.string())])
  .transform((text) => (Array.isArray(text) ? text.join("") : text));

export function displayOutput(cell: AskingCell, output: Output): object {
  const table = markdownTable(cell, output);
  return displayData({
    "text/plain": sourceLines(plainText(output)),
    ...(table !== undefined && { "text/markdown": sourceLines(table) }),
    [outputMime]: output,
  });
}

export function displayPicture(cell: CellOf<"picture">, bytes: Uint8Array): object {
  return displayData({
    [pictureType(bytes)]: toBase64(bytes),
    "text/plain": sourceLines(cell.alt ?? cell.name ?? "picture"),
  });
}

const displayData = (data: object): object => ({ output_type: "display_data", metadata: {}, data });

export const withData = z.object({ data: z.record(z.string(), z.unknown()) });

/** The first value of a type that fits, among all outputs of a cell. */
function valueOf(outputs: readonly unknown[], fits: (mime: string) => boolean): unknown {
  return outputs
    .flatMap((output) => Object.entries(withData.safeParse(output).data?.data ?? {}))
    .find(([mime]) => fits(mime))?.[1];
}

/** @throws TinyGptvError "parameter", its message starting with `where` */
export function readOutput(outputs: readonly unknown[], where: string): Output | undefined {
  const data = valueOf(outputs, (mime) => mime === outputMime);
  return data === undefined ? undefined : checkOutput(data, where, where);
}

/**
 * Bytes of the picture below a cell, undefined where there is none (the outputs were cleared).
 * @throws TinyGptvError "parameter" where it is not base64
 */
export function readKept(
  outputs: readonly unknown[],
  where: string,
): Uint8Array<ArrayBuffer> | undefined {
  const data = valueOf(outputs, (mime) => mime.startsWith("image/") || mime === unknownType);
  if (data === undefined) return undefined;
  try {
    return fromBase64(multiline.parse(data));
  } catch (cause) {
    throw new TinyGptvError("parameter", `${where}: picture: want base64`, { cause });
  }
}
