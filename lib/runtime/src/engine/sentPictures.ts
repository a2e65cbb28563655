/**
 * Pictures between supervisor and process. Several calls may be about the same
 * ones (the answers of one question): each picture is sent once, and stays there
 * as long as a call under way has it.
 */
import type { Call, SentCall, ToChild } from "./messages.ts";

/** The supervisor's side; pictures are the same where their arrays are. */
export interface PictureSender {
  /** Sends what of a call's pictures is not there yet. @returns the call as it is sent */
  send(call: Call): SentCall;
  /** The call is over. */
  letGo(call: Call): void;
}

export function createPictureSender(send: (message: ToChild) => void): PictureSender {
  const there = new Map<Uint8Array, { picture: number; uses: number }>();
  let last = 0;

  function use(bytes: Uint8Array): number {
    let entry = there.get(bytes);
    if (entry === undefined) {
      entry = { picture: ++last, uses: 0 };
      there.set(bytes, entry);
      send({ type: "picture", picture: entry.picture, bytes });
    }
    entry.uses += 1;
    return entry.picture;
  }

  function stopUsing(bytes: Uint8Array): void {
    const entry = there.get(bytes);
    if (entry === undefined) return;
    entry.uses -= 1;
    if (entry.uses > 0) return;
    there.delete(bytes);
    send({ type: "forgetPicture", picture: entry.picture });
  }

  return {
    send: (call) => ("images" in call ? { ...call, images: call.images.map(use) } : call),
    letGo: (call) => {
      if ("images" in call) call.images.forEach(stopUsing);
    },
  };
}

/** The process's side. */
export interface PictureReceiver {
  keep(picture: number, bytes: Uint8Array): void;
  forget(picture: number): void;
  /** A call with its pictures; it keeps them itself from then on. */
  complete(call: SentCall): Call;
}

export function createPictureReceiver(): PictureReceiver {
  const kept = new Map<number, Uint8Array>();
  return {
    keep: (picture, bytes) => void kept.set(picture, bytes),
    forget: (picture) => void kept.delete(picture),
    complete: (call) =>
      "images" in call
        ? { ...call, images: call.images.map((picture) => kept.get(picture)!) }
        : call,
  };
}
