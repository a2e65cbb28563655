import { clipMean, clipStd } from "@tinygptv/model";
import type { ModelConfig } from "@tinygptv/model";
import { throwIfAborted } from "@tinygptv/protocol";
import type { ImageInfo } from "@tinygptv/protocol";
import type { ImageMode } from "../image/picture.ts";
import { normalize } from "../image/preprocess.ts";
import type { ReadSquare } from "../image/square.ts";
import { encodeImage, type VisionSessions } from "./vision.ts";

/** A picture as the language model takes it. */
export interface EncodedImage {
  info: ImageInfo;
  /** [queries, width] */
  features: Float32Array;
}

export interface EncodeOptions {
  signal?: AbortSignal | undefined;
  /** On whose behalf; clients take turns at decoding. */
  client?: string | undefined;
}

export interface ImageEncoder {
  /** Decodes and encodes a picture, or finds it among the last ones. Errors have code "image". */
  encode(bytes: Uint8Array, mode: ImageMode, options?: EncodeOptions): Promise<EncodedImage>;
  readonly hits: number;
  readonly misses: number;
}

/** How pictures come in. */
export interface PictureReading {
  readSquare: ReadSquare;
  /** In hex. */
  sha256(bytes: Uint8Array): string;
}

/** Bytes of features kept; of the full model one picture takes 320 KiB. */
export const featureCacheBytes = 64 * 2 ** 20;

/** The vision path with a cache by content, so that the second question about a picture skips the vision encoder. */
export function createImageEncoder(
  sessions: VisionSessions,
  config: ModelConfig,
  { readSquare, sha256 }: PictureReading,
): ImageEncoder {
  const featureBytes = 4 * config.qformer.numQueryTokens * config.phi.width;
  const limit = Math.max(1, Math.floor(featureCacheBytes / featureBytes));
  // A Map keeps insertion order: the first entry is the least recently used.
  const cache = new Map<string, Promise<EncodedImage>>();
  let hits = 0;
  let misses = 0;

  /** Of the bytes of pictures in use: one that a request names several times arrives as one object. */
  const hashes = new WeakMap<Uint8Array, string>();

  function hashOf(bytes: Uint8Array): string {
    const hash = hashes.get(bytes) ?? sha256(bytes);
    hashes.set(bytes, hash);
    return hash;
  }

  async function read(
    bytes: Uint8Array,
    mode: ImageMode,
    hash: string,
    client: string | undefined,
  ): Promise<EncodedImage> {
    const size = config.vision.imageSize;
    const { original, rgb } = await readSquare(bytes, size, { mode, client });
    const pixelValues = normalize(rgb, { size, mean: clipMean, std: clipStd });
    const features = await encodeImage(sessions, pixelValues, config);
    return { info: { hash, ...original, cached: false }, features };
  }

  return {
    async encode(bytes, mode, { signal, client } = {}) {
      throwIfAborted(signal);
      const hash = hashOf(bytes);
      const key = `${mode}/${hash}`;
      const known = cache.get(key);
      const entry = known ?? read(bytes, mode, hash, client);
      cache.delete(key);
      cache.set(key, entry);
      if (cache.size > limit) cache.delete(cache.keys().next().value!);
      if (known) hits++;
      else misses++;
      try {
        const { info, features } = await entry;
        return { info: { ...info, cached: known !== undefined }, features };
      } catch (error) {
        if (cache.get(key) === entry) cache.delete(key);
        throw error;
      }
    },
    get hits() {
      return hits;
    },
    get misses() {
      return misses;
    },
  };
}
