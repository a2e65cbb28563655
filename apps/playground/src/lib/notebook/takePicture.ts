import { TinyGptvError } from "@tinygptv/protocol";
import { keepPicture } from "#lib/storage/pictures.ts";

/** The endpoint's own limit may be lower; this one keeps the browser's storage in bounds. */
const maxPictureBytes = 20_000_000;

/**
 * Checks that the browser can show a picture, and keeps it.
 * @returns the name for a picture cell (`sha256:…`)
 * @throws TinyGptvError "image" where it is too large or no picture
 */
export async function takePicture(file: Blob): Promise<string> {
  const name = file instanceof File ? file.name : "the picture";
  if (file.size > maxPictureBytes) {
    throw new TinyGptvError(
      "image",
      `${name}: want at most ${maxPictureBytes / 1e6} MB, got ${(file.size / 1e6).toFixed(1)} MB. Make it smaller and try again.`,
    );
  }
  try {
    (await createImageBitmap(file)).close();
  } catch (cause) {
    throw new TinyGptvError(
      "image",
      `${name}: this is no picture the browser can read. Use PNG, JPEG, WebP, GIF or AVIF.`,
      { cause },
    );
  }
  return keepPicture(new Uint8Array(await file.arrayBuffer()));
}
