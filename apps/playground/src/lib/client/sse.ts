import { TinyGptvError } from "@tinygptv/protocol";

/** Longest single event accepted; a server that sends more is broken. */
const maxEventLength = 4_000_000;

/**
 * The `data:` lines of an SSE response up to `[DONE]`.
 * @throws TinyGptvError "network" where the stream breaks off before that
 */
export async function* sseData(
  response: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  if (response.body === null)
    throw new TinyGptvError("network", "want a stream, the endpoint sent an empty body");
  let rest = "";
  try {
    for await (const text of chunks(response.body.pipeThrough(new TextDecoderStream()))) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > maxEventLength)
        throw new TinyGptvError("network", `want events of at most ${maxEventLength} characters`);
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        yield data;
      }
    }
  } catch (cause) {
    if (cause instanceof TinyGptvError) throw cause;
    if (signal?.aborted) throw new TinyGptvError("aborted", "stopped", { cause });
    throw lost(cause);
  }
  throw lost(undefined);
}

const lost = (cause: unknown): TinyGptvError =>
  new TinyGptvError(
    "network",
    "The connection was lost in the middle of the answer. What arrived is shown; run the cell again.",
    { cause },
  );

/** Reading by hand: not every browser iterates streams. Cancels when the consumer leaves. */
async function* chunks(stream: ReadableStream<string>): AsyncGenerator<string> {
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
