/**
 * Decodes pictures few at a time: each takes a thread of the four that Node has
 * for files and everything else, and up to hundreds of megabytes.
 */
import { abortError, throwIfAborted } from "@tinygptv/protocol";
import { checkImage } from "../image/decode.ts";
import type { DecodedImage, ImageMode } from "../image/decode.ts";
import { createPlaces } from "./places.ts";
import type { Claim } from "./places.ts";

export interface PictureOptions {
  mode: ImageMode;
  /** On whose behalf: clients take turns. */
  client?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Decodes a picture when its turn comes, and uses it before the next one's.
 * @throws TinyGptvError "image", "aborted" while waiting
 */
export type WithPicture = <T>(
  bytes: Uint8Array,
  options: PictureOptions,
  use: (picture: DecodedImage) => Promise<T>,
) => Promise<T>;

/** Bytes that decoding may take at once, and as much again for clients who have none under way. */
const budget = 400 * 2 ** 20;
/** However small they are, so many of one client at once. */
const atOnce = 2;

interface Waiting extends Claim {
  onTurn(): void;
}

export function createPictureQueue(check: typeof checkImage = checkImage): WithPicture {
  const places = createPlaces<Waiting>(budget);

  function letIn(): void {
    for (const one of places.admit()) one.onTurn();
  }

  return async (bytes, { mode, client = "", signal }, use) => {
    throwIfAborted(signal);
    const picture = await check(bytes, { mode });
    const turn = Promise.withResolvers<void>();
    const units = Math.min(budget, Math.max(picture.cost, budget / atOnce));
    const claim: Waiting = { client, units, onTurn: turn.resolve };
    const onAbort = () => turn.reject(abortError(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    places.add(claim);
    letIn();
    try {
      await turn.promise;
      throwIfAborted(signal);
      return await use(await picture.decode());
    } finally {
      signal?.removeEventListener("abort", onAbort);
      places.remove(claim);
      letIn();
    }
  };
}
