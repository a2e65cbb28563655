import { sniffFormat } from "@tinygptv/protocol";
import { toBase64 } from "./base64.ts";

/** For a picture in a format that is not read here; it is kept all the same. */
export const unknownType = "application/octet-stream";

/** Media type of a picture by its content. */
export const pictureType = (bytes: Uint8Array): string => sniffFormat(bytes)?.type ?? unknownType;

/** A picture as an address that contains it. */
export const pictureUrl = (bytes: Uint8Array): string =>
  `data:${pictureType(bytes)};base64,${toBase64(bytes)}`;
