/**
 * Bodies on their way through an isolate, whose memory is small. A body is
 * held as far as it has to be (to find its model, to keep its answer, to send
 * it again), within a bound for all of them; beyond it passes on as it comes.
 */

/** Bytes that bodies may hold at once, all together. */
export interface Room {
  /** Whether there is room for so many more; bodies that are being sent make some where they can. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  /** Bodies that can do with less, the oldest first. */
  readonly yielding: Set<() => void>;
}

export function createRoom(bytes: number): Room {
  let free = bytes;
  const yielding = new Set<() => void>();
  return {
    yielding,
    take(wanted) {
      for (const letGo of yielding) {
        if (free >= wanted) break;
        letGo();
      }
      if (free < wanted) return false;
      free -= wanted;
      return true;
    },
    give(given) {
      free += given;
    },
  };
}

/** Its message says how much it may be. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`want at most ${maxBytes} bytes`);
  }
}

export interface SendHooks {
  /** The other side takes something. */
  onChunk(): void;
  /**
   * Ends the request that sends it. The stream of a body that breaks off does
   * not end: in workerd one that fails arrives as if it were complete.
   */
  onFailure(): void;
}

export interface Body {
  /**
   * Reads on, holding it all, until `isEnough` says so of what came last.
   * False where there is no room for it: what was read is still there.
   * @throws BodyTooLarge; what the stream throws where the client goes away
   */
  hold(isEnough: (chunk: Uint8Array, size: number) => boolean): Promise<boolean>;
  /** All of it, where it is small and has been held to its end. */
  whole(): Uint8Array<ArrayBuffer> | undefined;
  /** Whether its beginning is still there. */
  readonly canBeSent: boolean;
  /** Why it ended before its end. */
  readonly failure: unknown;
  /** All of it from its beginning, what is held first. It ends the sending before. */
  send(hooks: SendHooks): ReadableStream<Uint8Array>;
  /** Lets go of what is held, and of what is still to come. */
  release(): void;
}

/** Bytes up to which a body is held whole as a matter of course. */
export const smallBytes = 2 ** 20;

/** @param maxBytes a longer one ends with BodyTooLarge */
export function openBody(stream: ReadableStream<Uint8Array>, room: Room, maxBytes: number): Body {
  const reader = stream.getReader();
  /** Chunks from the `gone`th on. */
  const held: Uint8Array[] = [];
  let gone = 0;
  /** Chunks that the sending under way has handed on. */
  let sent = 0;
  /** Bytes of `room` that the held ones take. */
  let taken = 0;
  let size = 0;
  let isKept = true;
  let ended = false;
  let failure: unknown;
  let sending = 0;
  let reading: Promise<boolean> | undefined;

  /** Whether there was another chunk. */
  async function read(): Promise<boolean> {
    try {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return false;
      size += value.length;
      if (size > maxBytes) throw new BodyTooLarge(maxBytes);
      if (isKept && room.take(value.length)) taken += value.length;
      else letGo();
      held.push(value);
      return true;
    } catch (error) {
      failure = error;
      reader.cancel(error).catch(() => {});
      throw error;
    }
  }

  /** One at a time: a second sending waits for what the first one asked for. */
  async function readOn(): Promise<boolean> {
    return !ended && (reading ??= read().finally(() => (reading = undefined)));
  }

  function drop(): void {
    const bytes = Math.min(taken, held.shift()?.length ?? 0);
    gone += 1;
    taken -= bytes;
    room.give(bytes);
  }

  /** Drops what is sent, now and from now on: it can be sent no second time. */
  function letGo(): void {
    isKept = false;
    room.yielding.delete(letGo);
    while (gone < sent) drop();
  }

  return {
    whole: () => (ended && isKept && size <= smallBytes ? join(held, size) : undefined),
    get canBeSent() {
      return gone === 0 && failure === undefined;
    },
    get failure() {
      return failure;
    },
    async hold(isEnough) {
      while (await readOn()) {
        if (isEnough(held.at(-1)!, size)) return true;
        if (!isKept) return false;
      }
      return true;
    },
    send({ onChunk, onFailure }) {
      const own = (sending += 1);
      sent = 0;
      if (isKept) room.yielding.add(letGo);
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            try {
              if (own === sending && sent - gone >= held.length) await readOn();
            } catch {
              onFailure();
              return new Promise<void>(() => {});
            }
            const chunk = own === sending ? held[sent - gone] : undefined;
            if (!chunk) return controller.close();
            sent += 1;
            onChunk();
            if (!isKept) drop();
            controller.enqueue(chunk);
          },
        },
        { highWaterMark: 0 },
      );
    },
    release() {
      sending += 1;
      sent = gone + held.length;
      letGo();
      if (!ended) reader.cancel().catch(() => {});
    },
  };
}

/** One array of several. */
export function join(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
