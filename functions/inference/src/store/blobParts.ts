import type { Part } from "@vercel/blob";

/** Parts under way at once; with the one being gathered they bound the memory of an upload. */
const partsAtOnce = 4;

/** The body in buffers of exactly `size` bytes, the last one shorter (empty for an empty body). */
export async function* partsOf(
  body: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer, void> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (let chunk of body) {
    while (bytes + chunk.byteLength >= size) {
      const rest = size - bytes;
      yield Buffer.concat([...gathered, chunk.subarray(0, rest)], size);
      chunk = chunk.subarray(rest);
      gathered = [];
      bytes = 0;
    }
    gathered.push(chunk);
    bytes += chunk.byteLength;
  }
  yield Buffer.concat(gathered, bytes);
}

/** Sends parts, a few at once, numbered from 1; rejects with the first error. */
export async function sendParts(
  first: Buffer,
  rest: AsyncIterable<Buffer>,
  send: (partNumber: number, bytes: Buffer) => Promise<Part>,
): Promise<Part[]> {
  const sent: Promise<Part>[] = [];
  const start = (bytes: Buffer) => {
    const part = send(sent.length + 1, bytes);
    part.catch(() => {}); // reported where it is awaited, below
    sent.push(part);
  };
  start(first);
  for await (const bytes of rest) {
    if (bytes.byteLength > 0) start(bytes); // empty: the body ended with a full part
    await sent.at(-partsAtOnce);
  }
  return Promise.all(sent);
}
