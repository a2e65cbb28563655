import { encodePng } from "../../lib/runtime/src/image/encodePng.ts";

/** A picture of the size the encoder takes, as a PNG file; another one for every seed. */
export function madeUpPicture(seed = 0): Promise<Uint8Array> {
  const size = 448;
  const rgb = new Uint8Array(3 * size * size).map((_, i) => (i * (7 + seed)) % 256);
  return encodePng({ width: size, height: size, rgb });
}
