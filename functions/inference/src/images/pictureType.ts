import { acceptedFormats, sniffFormat } from "@tinygptv/protocol";
import type { ImageType } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";

/**
 * The media type of a picture by its content; what it was declared as counts for nothing.
 * @throws HttpError invalid_image
 */
export function pictureType(bytes: Uint8Array, param: string): ImageType {
  const format = sniffFormat(bytes);
  if (format?.type !== undefined) return format.type;
  const name = bytes.length === 0 ? "an empty file" : (format?.name ?? "an unknown format");
  throw new HttpError(
    "invalid_image",
    `${param}: want ${acceptedFormats.join(", ")}, got ${name}`,
    {
      param,
    },
  );
}
