/** Pictures inside Markdown cells of Jupyter's format, there and back. */
import { z } from "zod";
import { fromBase64, toBase64 } from "./base64.ts";
import { contentHash } from "./hash.ts";
import { multiline } from "./ipynbOutputs.ts";
import { keptAddress, keptIn, keptName, withAddresses } from "./keptPictures.ts";
import { pictureType } from "./pictureType.ts";
import type { CellOf } from "./cell.ts";

/** Name -> media type -> base64. */
export const attachmentsSchema = z.record(z.string(), z.record(z.string(), z.unknown()));
export type Attachments = z.infer<typeof attachmentsSchema>;

export interface ReadText {
  source: string;
  /** By the name the text has for them now (`sha256:…`). */
  pictures: Map<string, Uint8Array<ArrayBuffer>>;
  /** What could not be kept, in words. */
  lost: string[];
}

/** A picture among values by media type; undefined where there is none that can be kept. */
export function pictureIn(bundle: Record<string, unknown>): Uint8Array<ArrayBuffer> | undefined {
  for (const [type, value] of Object.entries(bundle)) {
    const base64 = multiline.safeParse(value);
    if (!/^image\/(?!svg)/.test(type) || !base64.success) continue;
    try {
      return fromBase64(base64.data);
    } catch {
      continue; // no base64: another form of the picture may be
    }
  }
  return undefined;
}

/** The text with its pictures named by their content. */
export function withoutAttachments(source: string, attachments: Attachments): ReadText {
  const read: ReadText = { source, pictures: new Map(), lost: [] };
  // The longest first: one name may begin with another.
  const names = Object.keys(attachments).toSorted((a, b) => b.length - a.length);
  for (const name of names) {
    const bytes = pictureIn(attachments[name] ?? {});
    const addresses = [name, encodeURI(name), encodeURIComponent(name)].map(
      (written) => `attachment:${written}`,
    );
    const used = addresses.filter((address) => read.source.includes(address));
    if (bytes === undefined) read.lost.push(`its attachment ${name} is no picture and left out`);
    else if (used.length === 0)
      read.lost.push(`its attachment ${name} is not shown in its text and left out`);
    else {
      for (const address of used)
        read.source = read.source.replaceAll(address, keptAddress(bytes, name));
      read.pictures.set(keptName(contentHash(bytes)), bytes);
    }
  }
  return read;
}

/** The text and its kept pictures as Jupyter has them; a picture that is not there stays a name. */
export async function withAttachments(
  cell: CellOf<"text">,
  readPicture: (file: string) => Promise<Uint8Array>,
): Promise<{ source: string; attachments: Attachments }> {
  const bytes = new Map<string, Uint8Array>();
  for (const file of keptIn(cell)) {
    const picture = await readPicture(file).catch(() => undefined);
    if (picture !== undefined) bytes.set(file, picture);
  }
  const attachments: Attachments = {};
  const owners = new Map<string, string>();
  const source = withAddresses(cell.source, (file, encoded, address) => {
    const picture = bytes.get(file);
    if (picture === undefined) return address;
    const wanted = encoded === undefined || encoded === "" ? "picture" : encoded;
    const taken = owners.has(wanted) && owners.get(wanted) !== file;
    const name = taken ? `${file.slice(7, 19)}-${wanted}` : wanted;
    owners.set(name, file);
    attachments[decoded(name)] = { [pictureType(picture)]: toBase64(picture) };
    return `attachment:${name}`;
  });
  return { source, attachments };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a person wrote a % that means nothing
  }
}
