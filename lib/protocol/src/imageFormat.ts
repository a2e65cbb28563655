/** What the first bytes of a file say it is; a name or extension is never looked at. Needs no Node. */
export interface ImageFormat {
  readonly name: string;
  /** Media type, of those that are decoded. */
  readonly type?: "image/png" | "image/jpeg" | "image/webp" | "image/gif" | "image/avif";
  /** sharp's name of it where we decode it. Everything else is refused before a decoder sees it. */
  readonly decoder?: "png" | "jpeg" | "webp" | "gif" | "heif";
}

const text = (bytes: Uint8Array, start: number, end: number) =>
  String.fromCharCode(...bytes.subarray(start, end));

const startsWith =
  (...signatures: string[]) =>
  (bytes: Uint8Array) =>
    signatures.some((signature) => text(bytes, 0, signature.length) === signature);

/** ISO base media files (AVIF, HEIC) list their brands in a leading `ftyp` box. */
function brands(bytes: Uint8Array): string {
  return text(bytes, 4, 8) === "ftyp"
    ? text(bytes, 8, Math.min(256, 256 * bytes[2]! + bytes[3]!))
    : "";
}

const head = (bytes: Uint8Array) => text(bytes, 0, 1024).toLowerCase();

const formats: readonly (ImageFormat & { test: (bytes: Uint8Array) => boolean })[] = [
  { name: "PNG", type: "image/png", decoder: "png", test: startsWith("\x89PNG\r\n\x1a\n") },
  { name: "JPEG", type: "image/jpeg", decoder: "jpeg", test: startsWith("\xff\xd8\xff") },
  {
    name: "WebP",
    type: "image/webp",
    decoder: "webp",
    test: (bytes) => text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP",
  },
  { name: "GIF", type: "image/gif", decoder: "gif", test: startsWith("GIF87a", "GIF89a") },
  {
    name: "AVIF",
    type: "image/avif",
    decoder: "heif",
    test: (bytes) => /avi[fs]/.test(brands(bytes)),
  },
  { name: "HEIC", test: (bytes) => brands(bytes) !== "" },
  { name: "TIFF", test: startsWith("II*\0", "MM\0*") },
  { name: "BMP", test: startsWith("BM") },
  { name: "JPEG XL", test: startsWith("\xff\x0a", "\0\0\0\x0cJXL ") },
  { name: "PDF", test: startsWith("%PDF") },
  { name: "SVG", test: (bytes) => head(bytes).includes("<svg") },
  { name: "HTML", test: (bytes) => /<!doctype html|<html/.test(head(bytes)) },
];

/** Names of the formats that are decoded, for messages and help texts. */
export const acceptedFormats: readonly string[] = formats
  .filter((format) => format.decoder !== undefined)
  .map((format) => format.name);

/** The format of a file by its content; undefined where nothing fits. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | undefined {
  return formats.find((format) => format.test(bytes));
}
