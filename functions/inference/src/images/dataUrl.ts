import { HttpError } from "../errors.ts";

const head = /^data:(?<type>[^;,]*)(?:;[^;,]*)*?;base64,/i;

/**
 * The bytes of a `data:image/…;base64,` URL.
 * @throws HttpError invalid_image_url, image_too_large
 */
export function decodeDataUrl(url: string, maxBytes: number, param: string): Uint8Array {
  const fail = (message: string) =>
    new HttpError("invalid_image_url", `${param}: ${message}`, { param });
  const match = head.exec(url.slice(0, 200));
  if (!match) throw fail("want data:image/…;base64,…");
  const type = match.groups!["type"]!.toLowerCase();
  if (!type.startsWith("image/"))
    throw fail(`want a data URL of type image/…, got ${type || "none"}`);
  const text = url.slice(match[0].length);
  if ((text.length / 4) * 3 > maxBytes + 3)
    throw new HttpError("image_too_large", `${param}: want at most ${maxBytes} bytes`, { param });
  const bytes = Buffer.from(text, "base64");
  // Buffer skips what is not base64, so the length tells. (A pattern over megabytes overflows its stack.)
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (bytes.length !== (text.length / 4) * 3 - padding) throw fail("this is not valid base64");
  return bytes;
}
