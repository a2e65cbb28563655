import { expect, test } from "vitest";
import { sniffFormat } from "./imageFormat.ts";

/** A file that begins with an `ftyp` box: the major brand, then those it is compatible with. */
function media(major: string, ...compatible: string[]): Uint8Array {
  const box = Buffer.from(`\0\0\0\0ftyp${major}\0\0\0\0${compatible.join("")}`, "latin1");
  box.writeUInt32BE(box.length);
  return Buffer.concat([box, Buffer.from("\0\0\0\x08mdat", "latin1")]);
}

test.each([
  ["AVIF", media("avif", "mif1", "miaf")],
  ["AVIF", media("avis", "msf1", "iso8")],
  ["AVIF", media("mif1", "avif")],
  ["HEIC", media("heic", "mif1", "MiHB", "heic")],
  ["HEIC", media("mif1", "heic")],
  ["HEIF", media("mif1", "miaf")],
  ["an MP4 film", media("isom", "iso2", "avc1", "mp41")],
  ["an MP4 film", media("mp42")],
  ["a QuickTime film", media("qt  ", "qt  ")],
  ["a 3GP film", media("3gp4", "3gp4")],
  ["MP4 audio", media("M4A ", "isom")],
  ["a Canon raw photo", media("crx ", "isom")],
  ["an ISO media file", media("what")],
  // Brands are four letters each: none begins in the middle of another.
  ["an MP4 film", media("isom", "xxav", "ifxx")],
])("%s is told from other media files", (name, bytes) => {
  expect(sniffFormat(bytes)?.name).toBe(name);
});

test("of a box that is cut off what is there is read", () => {
  expect(sniffFormat(media("heic").subarray(0, 12))?.name).toBe("HEIC");
  expect(sniffFormat(Buffer.from("\0\0\0\x18ftyp", "latin1"))?.name).toBe("an ISO media file");
});
