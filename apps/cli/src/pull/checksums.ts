import { TinyGptvError } from "@tinygptv/protocol";

/** Name of the list of checksums beside the files, in the format of `sha256sum`. */
export const checksumsName = "SHA256SUMS";

/** File path -> sha256 in hex. */
export type Checksums = Map<string, string>;

/** @throws TinyGptvError `network` naming the first line that is no checksum. */
export function parseChecksums(text: string, source: string): Checksums {
  const sums: Checksums = new Map();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const match = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/i.exec(line);
    if (!match) {
      const got = line.slice(0, 80);
      throw new TinyGptvError(
        "network",
        `${source}, line ${i + 1}: want a sha256 and a path, got ${got}`,
      );
    }
    sums.set(match[2]!, match[1]!.toLowerCase());
  }
  return sums;
}

export function formatChecksums(sums: Checksums): string {
  return [...sums].map(([path, sum]) => `${sum}  ${path}\n`).join("");
}
