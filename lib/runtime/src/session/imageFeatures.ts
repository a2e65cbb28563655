import type { Session } from "@tinygptv/graph/session";
import { clipMean, clipStd } from "@tinygptv/model";
import type { ModelConfig } from "@tinygptv/model";
import { throwIfAborted } from "@tinygptv/protocol";
import type { ImageInfo } from "@tinygptv/protocol";
import type { ImageMode } from "../image/picture.ts";
import { normalize } from "../image/preprocess.ts";
import type { ReadSquare } from "../image/square.ts";
import { embedImage, mapImage, type VisionSessions } from "./vision.ts";

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
  /** The mapping module in place of the model's. */
  mapping?: Session | undefined;
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

/** A picture as the Q-Former leaves it, and what each mapping has made of it. */
interface KnownPicture {
  readonly embedded: Promise<{ info: ImageInfo; embeds: Float32Array }>;
  readonly features: Map<Session, Promise<Float32Array>>;
}

/**
 * The vision path with a cache by content, so that the second question about a picture skips the
 * vision encoder, whichever mapping it is asked with.
 */
export function createImageEncoder(
  sessions: VisionSessions,
  config: ModelConfig,
  { readSquare, sha256 }: PictureReading,
): ImageEncoder {
  const { numQueryTokens, width } = config.qformer;
  const embedBytes = 4 * numQueryTokens * width;
  const featureBytes = 4 * numQueryTokens * config.phi.width;
  // A Map keeps insertion order: the first entry is the least recently used.
  const cache = new Map<string, KnownPicture>();
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
  ): KnownPicture["embedded"] {
    const size = config.vision.imageSize;
    const { original, rgb } = await readSquare(bytes, size, { mode, client });
    const pixelValues = normalize(rgb, { size, mean: clipMean, std: clipStd });
    const embeds = await embedImage(sessions, pixelValues, config);
    return { info: { hash, ...original, cached: false }, embeds };
  }

  /** Drops what was not used for longest; the newest stays. */
  function trim(): void {
    const bytesOf = ({ features }: KnownPicture) => embedBytes + features.size * featureBytes;
    let bytes = [...cache.values()].reduce((sum, one) => sum + bytesOf(one), 0);
    for (const [key, one] of cache) {
      if (bytes <= featureCacheBytes || cache.size === 1) return;
      bytes -= bytesOf(one);
      cache.delete(key);
    }
  }

  return {
    async encode(bytes, mode, { signal, client, mapping = sessions.mapping } = {}) {
      throwIfAborted(signal);
      const hash = hashOf(bytes);
      const key = `${mode}/${hash}`;
      const known = cache.get(key);
      const entry = known ?? { embedded: read(bytes, mode, hash, client), features: new Map() };
      const mapped =
        entry.features.get(mapping) ??
        entry.embedded.then(({ embeds }) => mapImage(mapping, embeds, config));
      entry.features.set(mapping, mapped);
      cache.delete(key);
      cache.set(key, entry);
      trim();
      if (known) hits++;
      else misses++;
      try {
        const [{ info }, features] = await Promise.all([entry.embedded, mapped]);
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
