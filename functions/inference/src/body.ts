/**
 * Reading request bodies. One reader bounds bytes and time together: hono's
 * body-limit gathers a chunked body without a deadline.
 */
import type { Context } from "hono";
import { HttpError } from "./errors.ts";

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyMs: number;
}

/**
 * The whole body.
 * @throws HttpError request_too_large, request_timeout
 */
export async function readBytes(
  c: Context,
  { bodyBytes, bodyMs }: BodyLimits,
): Promise<Uint8Array> {
  const tooLarge = (got: string) =>
    new HttpError("request_too_large", `request body: want at most ${bodyBytes} bytes, got ${got}`);
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > bodyBytes) throw tooLarge(String(declared));
  const reader = c.req.raw.body?.getReader();
  if (!reader) return new Uint8Array();

  const late = new HttpError("request_timeout", `request body: want it within ${bodyMs} ms`);
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  deadline.catch(() => {});
  const timer = setTimeout(() => reject(late), bodyMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), deadline]);
      if (done) return Buffer.concat(chunks, size);
      size += value.length;
      if (size > bodyBytes) throw tooLarge("more");
      chunks.push(value);
    }
  } catch (error) {
    // Not awaited: what is still coming is of no interest.
    reader.cancel(error).catch(() => {});
    if (error instanceof HttpError) throw error;
    throw new HttpError(
      "client_closed_request",
      "request body: the connection ended before the body did",
      {
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The body as JSON.
 * @throws HttpError unsupported_media_type, invalid_json, and those of readBytes
 */
export async function readJson(c: Context, limits: BodyLimits): Promise<unknown> {
  const type = mediaType(c);
  if (type !== "application/json" && !type.endsWith("+json"))
    throw new HttpError(
      "unsupported_media_type",
      `content-type: want application/json, got ${type || "none"}`,
    );
  const bytes = await readBytes(c, limits);
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw new HttpError("invalid_json", `request body is not valid JSON: ${reason}`, {
      cause: error,
    });
  }
}

/** The request's media type without parameters, lower case; "" where none is given. */
export function mediaType(c: Context): string {
  return (c.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}
