/** Compressed request bodies. */
import { Readable, pipeline } from "node:stream";
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { HttpError } from "../errors.ts";

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
const accepted = "gzip, deflate, br";

/**
 * How a body is to be decoded; undefined where it is sent as it is.
 * @throws HttpError unsupported_media_type for an encoding that is not known, or several
 */
export function bodyEncoding(header: string | undefined): string | undefined {
  const encoding = (header ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return undefined;
  if (Object.hasOwn(decoders, encoding)) return encoding;
  throw new HttpError(
    "unsupported_media_type",
    `content-encoding: want one of ${accepted}, got ${JSON.stringify(encoding.slice(0, 60))}`,
    { headers: { "accept-encoding": accepted } },
  );
}

/**
 * The decoded body, chunk by chunk as it is asked for.
 * @throws HttpError invalid_request where it is not what its encoding says
 */
export async function* decoded(
  body: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array, void> {
  // An error of either one comes out of the iteration.
  const decoder = pipeline(Readable.from(body), decoders[encoding]!(), () => {});
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!isCodecError(error)) throw error;
    throw new HttpError("invalid_request", `request body: this is not valid ${encoding}`, {
      cause: error,
    });
  }
}

function isCodecError(error: unknown): boolean {
  // zlib: Z_DATA_ERROR, Z_BUF_ERROR, …; brotli: ERR__ERROR_FORMAT_…
  return /^(?:Z_|ERR__ERROR)/.test(String((error as NodeJS.ErrnoException).code));
}
