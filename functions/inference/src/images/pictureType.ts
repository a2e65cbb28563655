import { acceptedFormats, sniffFormat } from "tinygptv/imageFormat";
import type { ImageType } from "tinygptv/http";
import { HttpError } from "../errors.ts";

const types: Readonly<Record<string, ImageType>> = {
  PNG: "image/png",
  JPEG: "image/jpeg",
  WebP: "image/webp",
  GIF: "image/gif",
  AVIF: "image/avif",
};

/**
 * The media type of a picture by its content; what it was declared as counts for nothing.
 * @throws HttpError invalid_image
 */
export function pictureType(bytes: Uint8Array, param: string): ImageType {
  const name =
    bytes.length === 0 ? "an empty file" : (sniffFormat(bytes)?.name ?? "an unknown format");
  const type = types[name];
  if (type === undefined)
    throw new HttpError(
      "invalid_image",
      `${param}: want ${acceptedFormats.join(", ")}, got ${name}`,
      { param },
    );
  return type;
}
