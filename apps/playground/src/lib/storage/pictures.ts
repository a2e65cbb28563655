import { contentHash } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import { galleryUrl } from "#lib/notebook/gallery.ts";
import { database } from "./database.ts";
import { withRoom } from "./room.ts";

const prefix = "sha256:";

/**
 * Keeps a picture under its hash and returns the name cells use for it (`sha256:…`).
 * @throws TinyGptvError "io" where the browser's storage is full
 */
export async function keepPicture(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = contentHash(bytes);
  const db = await database();
  await withRoom(() => db.put("pictures", { hash, bytes, addedAt: Date.now() }));
  return prefix + hash;
}

/**
 * Bytes of a picture cell's file: kept ones by hash, examples of the gallery.
 * @throws TinyGptvError "image" where it is not there
 */
export async function readPicture(file: string): Promise<Uint8Array<ArrayBuffer>> {
  if (file.startsWith(prefix)) {
    const kept = await (await database()).get("pictures", file.slice(prefix.length));
    if (kept === undefined)
      throw new TinyGptvError("image", `${file}: not in this browser; drop the picture again`, {
        subject: file,
      });
    return kept.bytes;
  }
  const url = galleryUrl(file);
  if (url === undefined)
    throw new TinyGptvError(
      "image",
      `${file}: want a picture of the gallery or one kept in this browser`,
      { subject: file },
    );
  const response = await fetch(url);
  if (!response.ok)
    throw new TinyGptvError(
      "image",
      `${file}: want a picture, the server answered ${response.status}`,
      { subject: file },
    );
  return new Uint8Array(await response.arrayBuffer());
}

const objectUrls = new Map<string, Promise<string>>();

/** An address an `<img>` can show; made once per picture. */
export function pictureSource(file: string): Promise<string> {
  let url = objectUrls.get(file);
  if (url === undefined) {
    url = readPicture(file).then((bytes) => URL.createObjectURL(new Blob([bytes])));
    url.catch(() => objectUrls.delete(file));
    objectUrls.set(file, url);
  }
  return url;
}
