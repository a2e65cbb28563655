import type { PictureReference } from "@tinygptv/protocol/http";
import type { ByteBudget } from "../byteBudget.ts";
import { HttpError } from "../errors.ts";
import type { Lifetime } from "../lifetime.ts";
import { decodeDataUrl, decodedLength } from "./dataUrl.ts";
import type { FetchPicture } from "./fetchPicture.ts";
import type { PictureStore } from "./pictureStore.ts";
import { pictureType } from "./pictureType.ts";

/** Who asks, as middleware found out. */
export interface Asker {
  readonly life: Lifetime;
  readonly caller: string;
  /** Whose uploaded pictures are seen. */
  readonly tenant: string;
}

/**
 * The bytes of the pictures of a request, in order: data URLs, http(s) URLs and
 * ids of uploaded ones. Each is a picture by its content; none is decoded here.
 * However often a request names one, it is loaded once, and its bytes are the
 * same array.
 */
export type PictureLoader = (
  references: readonly PictureReference[],
  asker: Asker,
) => Promise<Uint8Array[]>;

export interface PictureLimits {
  readonly imageBytes: number;
  readonly imagesPerRequest: number;
  readonly imageBytesPerRequest: number;
}

/** Where a picture comes from, before any of it is in memory. */
interface Source extends PictureReference {
  /** Bytes, or as many as it may have where that is not known yet. */
  readonly bytes: number;
  load(): Promise<Uint8Array>;
}

/** `room` is the memory for the pictures of all requests. */
export function createPictureLoader({
  store,
  fetchPicture,
  limits,
  room,
}: {
  store: PictureStore;
  fetchPicture: FetchPicture;
  limits: PictureLimits;
  room: ByteBudget;
}): PictureLoader {
  const { imageBytes, imagesPerRequest, imageBytesPerRequest } = limits;

  const sourceOf = async (
    { url, param }: PictureReference,
    { tenant, life: { signal } }: Asker,
  ): Promise<Source> => {
    if (/^\s*data:/i.test(url))
      return {
        url,
        param,
        bytes: Math.min(decodedLength(url), imageBytes),
        load: async () => decodeDataUrl(url, imageBytes, param),
      };
    if (!url.startsWith("img_"))
      return { url, param, bytes: imageBytes, load: () => fetchPicture(url, param, signal) };
    const stored = await store.find(tenant, url, signal);
    if (!stored)
      throw new HttpError("image_not_found", `${param}: there is no picture ${url.slice(0, 80)}`, {
        param,
      });
    return { url, param, bytes: stored.size, load: stored.read };
  };

  return async (references, asker) => {
    if (references.length > imagesPerRequest)
      throw new HttpError(
        "invalid_value",
        `messages: want at most ${imagesPerRequest} pictures, got ${references.length}`,
        { param: "messages" },
      );
    // The first of equal references stays: a Map keeps the last value, so they go in backwards.
    const distinct = new Map(
      references.toReversed().map((reference) => [reference.url, reference]),
    );
    const sources = await Promise.all(
      [...distinct.values()].map((reference) => sourceOf(reference, asker)),
    );
    const most = sum(sources.map(({ bytes }) => bytes));
    const keep = await room.take(Math.min(most, imageBytesPerRequest), asker.caller, asker.life);
    let loaded = 0;
    const pictures = await Promise.all(
      sources.map(async ({ url, param, load }) => {
        const bytes = await load();
        checkSize(bytes, imageBytes, param);
        loaded += bytes.length;
        if (loaded > imageBytesPerRequest)
          throw new HttpError(
            "image_too_large",
            `${param}: want at most ${imageBytesPerRequest} bytes of pictures in one request`,
            { param },
          );
        pictureType(bytes, param);
        return [url, bytes] as const;
      }),
    );
    keep(loaded);
    const bytesOf = new Map(pictures);
    return references.map(({ url }) => bytesOf.get(url)!);
  };
}

/** @throws HttpError image_too_large */
export function checkSize(bytes: Uint8Array, maxBytes: number, param: string): void {
  if (bytes.length <= maxBytes) return;
  throw new HttpError(
    "image_too_large",
    `${param}: want at most ${maxBytes} bytes, got ${bytes.length}`,
    { param },
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
