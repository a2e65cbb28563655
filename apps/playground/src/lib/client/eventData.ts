import { EventSourceParserStream, ParseError } from "eventsource-parser/stream";
import { TinyGptvError } from "@tinygptv/protocol";

/** Longest single event accepted, in characters; a server that sends more is broken. */
const maxEventLength = 4_000_000;

/**
 * The data of a response's server-sent events up to `[DONE]`.
 * @throws TinyGptvError "network" where the stream breaks off before that, "aborted" by the signal
 */
export async function* eventData(
  response: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  if (response.body === null)
    throw new TinyGptvError("network", "The endpoint sent an empty answer.");
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: maxEventLength }));
  try {
    for await (const { data } of chunks(events)) {
      if (data === "[DONE]") return;
      yield data;
    }
  } catch (cause) {
    if (cause instanceof TinyGptvError) throw cause;
    if (signal?.aborted) throw new TinyGptvError("aborted", "stopped", { cause });
    if (cause instanceof ParseError && cause.type === "max-buffer-size-exceeded")
      throw new TinyGptvError(
        "network",
        `The endpoint sent a single event of more than ${maxEventLength / 1e6} million characters.`,
        { cause },
      );
    throw lost(cause);
  }
  throw lost(undefined);
}

const lost = (cause: unknown): TinyGptvError =>
  new TinyGptvError(
    "network",
    "The connection was lost in the middle of the answer. What arrived is kept; run the cell again.",
    { cause },
  );

/** Reading by hand: not every browser iterates streams. Cancels when the consumer leaves. */
async function* chunks<Chunk>(stream: ReadableStream<Chunk>): AsyncGenerator<Chunk> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // already closed or broken: nothing left to cancel
  }
}
