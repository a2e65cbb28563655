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

/**
 * ISO base media files, pictures and films alike, list their brands in a
 * leading `ftyp` box: its size, its name, the major brand, a version, and the
 * brands it is compatible with (ISO/IEC 14496-12, 4.3).
 */
function brands(bytes: Uint8Array): string[] {
  if (text(bytes, 4, 8) !== "ftyp") return [];
  const end = Math.min(256, bytes.length, 256 * bytes[2]! + bytes[3]!);
  const starts = [8];
  for (let at = 16; at + 4 <= end; at += 4) starts.push(at);
  return starts.map((at) => text(bytes, at, at + 4));
}

/** Whether any of a file's brands begins so. */
const ofBrand =
  (...beginnings: string[]) =>
  (bytes: Uint8Array) =>
    brands(bytes).some((brand) => beginnings.some((beginning) => brand.startsWith(beginning)));

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
    test: ofBrand("avif", "avis"),
  },
  // By the more telling brand first: a HEIC photo of a phone is compatible with `mif1`, too, a film with `isom`.
  { name: "HEIC", test: ofBrand("heic", "heix", "heim", "heis", "hevc", "hevx") },
  { name: "a QuickTime film", test: ofBrand("qt  ") },
  { name: "a Canon raw photo", test: ofBrand("crx ") },
  { name: "HEIF", test: ofBrand("mif1", "mif2", "msf1") },
  { name: "a 3GP film", test: ofBrand("3g") },
  { name: "MP4 audio", test: ofBrand("M4A", "M4B", "M4P") },
  { name: "an MP4 film", test: ofBrand("iso", "mp4", "M4V", "avc1", "dash") },
  { name: "an ISO media file", test: (bytes) => brands(bytes).length > 0 },
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
