import { HttpError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { decodeDataUrl } from "./dataUrl.ts";
import type { FetchPicture } from "./fetchPicture.ts";
import { getPicture } from "./pictureStore.ts";
import { pictureType } from "./pictureType.ts";

/** A picture as a request names it, and the field that names it. */
export interface PictureReference {
  readonly url: string;
  readonly param: string;
}

/**
 * The bytes of the pictures of a request: data URLs, http(s) URLs and ids of
 * uploaded ones. Each is a picture by its content; none is decoded here.
 */
export type PictureLoader = (
  references: readonly PictureReference[],
  signal: AbortSignal,
) => Promise<Uint8Array[]>;

export function createPictureLoader({
  store,
  fetchPicture,
  limits,
}: {
  store: Store;
  fetchPicture: FetchPicture;
  limits: { imageBytes: number; imagesPerRequest: number };
}): PictureLoader {
  const load = async (
    { url, param }: PictureReference,
    signal: AbortSignal,
  ): Promise<Uint8Array> => {
    if (/^data:/i.test(url)) return decodeDataUrl(url, limits.imageBytes, param);
    if (!url.startsWith("img_")) return fetchPicture(url, param, signal);
    const stored = await getPicture(store, url, signal);
    if (!stored)
      throw new HttpError("image_not_found", `${param}: there is no picture ${url.slice(0, 80)}`, {
        param,
      });
    return new Uint8Array(await new Response(stored.body).arrayBuffer());
  };
  return async (references, signal) => {
    if (references.length > limits.imagesPerRequest)
      throw new HttpError(
        "invalid_value",
        `messages: want at most ${limits.imagesPerRequest} pictures, got ${references.length}`,
        { param: "messages" },
      );
    return Promise.all(
      references.map(async (reference) => {
        const bytes = await load(reference, signal);
        checkSize(bytes, limits.imageBytes, reference.param);
        pictureType(bytes, reference.param);
        return bytes;
      }),
    );
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
