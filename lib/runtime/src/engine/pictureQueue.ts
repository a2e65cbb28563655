/**
 * Reads pictures few at a time: each takes a thread of the four that Node has
 * for files and everything else, and up to hundreds of megabytes.
 */
import { abortError, throwIfAborted } from "@tinygptv/protocol";
import type { CheckedImage, DecodeOptions } from "../image/picture.ts";
import { resizeInSteps } from "../image/resize.ts";
import type { ReadSquare } from "../image/square.ts";
import { createPlaces } from "./places.ts";
import type { Claim } from "./places.ts";

/** Bytes that decoding may take at once, and as much again for clients who have none under way. */
export const pictureBytes = 400 * 2 ** 20;
/** However small they are, so many of one client at once. */
const atOnce = 2;

/** Reads a picture's header. @throws TinyGptvError "image" */
export type CheckImage = (bytes: Uint8Array, options: DecodeOptions) => Promise<CheckedImage>;

interface Waiting extends Claim {
  onTurn(): void;
}

/** Each picture keeps its place from decoding on until it is resized. */
export function createPictureQueue(check: CheckImage): ReadSquare {
  const places = createPlaces<Waiting>(pictureBytes);

  function letIn(): void {
    for (const one of places.admit()) one.onTurn();
  }

  return async (bytes, size, { mode, client = "", signal }) => {
    throwIfAborted(signal);
    const picture = await check(bytes, { mode });
    const turn = Promise.withResolvers<void>();
    const units = Math.min(pictureBytes, Math.max(picture.cost, pictureBytes / atOnce));
    const claim: Waiting = { client, units, onTurn: turn.resolve };
    const onAbort = () => turn.reject(abortError(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    places.add(claim);
    letIn();
    try {
      await turn.promise;
      throwIfAborted(signal);
      const { rgb, width, height, original } = await picture.decode();
      return { original, rgb: await resizeInSteps(rgb, width, height, size) };
    } finally {
      signal?.removeEventListener("abort", onAbort);
      places.remove(claim);
      letIn();
    }
  };
}
