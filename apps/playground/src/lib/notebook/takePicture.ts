import { keepPicture } from "#lib/storage/pictures.ts";
import { fitPicture } from "./fitPicture.ts";

/** A picture that was taken in: what a picture cell has of it. */
export interface TakenPicture {
  /** `sha256:…` */
  file: string;
  alt: string;
  /** What was done to it, in words, where it was not kept as it is. */
  change?: string;
}

/**
 * Checks that the browser can show a picture, makes it fit the endpoint and keeps it.
 * @throws TinyGptvError "image" in a sentence where it cannot be taken, "io" where there is no room
 */
export async function takePicture(file: Blob): Promise<TakenPicture> {
  const name = file instanceof File && file.name !== "" ? file.name : "picture";
  const { bytes, change } = await fitPicture(file, name);
  return {
    file: await keepPicture(bytes),
    alt: name.slice(0, 500),
    ...(change !== undefined && { change }),
  };
}

/** Names that say nothing about a picture: browsers give them to what is pasted. */
const nameless = /^(?:image|picture|blob|unknown|clipboard|untitled)?$/i;

/** What a picture cell is called after its file: `my dog (2).png` becomes `my-dog-2`. */
export function cellNameOf(file: string): string {
  const name = file
    .replace(/^.*[/\\]/, "")
    .replace(/\.[^.]*$/, "")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9_]+/g, "-")
    .replace(/^[^A-Za-z]+|-+$/g, "")
    .slice(0, 40);
  return nameless.test(name) ? "picture" : name;
}
