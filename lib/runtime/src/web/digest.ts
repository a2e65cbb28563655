import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Bytes that may be in memory twice. */
const modest = 64 * 2 ** 20;

/** In hex. The browser's own digest is several times as fast, and takes a copy of everything at once. */
export async function sha256Of(content: Blob): Promise<string> {
  if (content.size <= modest) {
    const digest = await crypto.subtle.digest("SHA-256", await content.arrayBuffer());
    return bytesToHex(new Uint8Array(digest));
  }
  const hash = sha256.create();
  const reader = content.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytesToHex(hash.digest());
    hash.update(value);
  }
}
