/**
 * Reading request bodies. One reader bounds bytes, time, structure and the
 * memory of all requests together: hono's body-limit gathers a chunked body
 * without a deadline.
 */
import type { Context } from "hono";
import { TinyGptvError } from "@tinygptv/protocol";
import { HttpError } from "../errors.ts";
import type { AppEnv, Services } from "../services.ts";
import { bodyEncoding, decoded } from "./encoding.ts";
import { createJsonBounds } from "./jsonBounds.ts";

type Reading = Pick<Services, "config" | "bodies">;

/** Bodies up to here need no room of the budget: nobody waits with a plain question. */
const freeBytes = 64 * 1024;

/**
 * The whole body, decoded. `watch` sees its chunks as they come, and may throw.
 * @throws HttpError request_too_large, request_timeout, queue_full, client_closed_request, unsupported_media_type
 */
export async function readBytes(
  c: Context<AppEnv>,
  { config: { limits }, bodies }: Reading,
  watch: (chunk: Uint8Array) => void = () => {},
): Promise<Uint8Array> {
  const { bodyBytes, bodyMs } = limits;
  const tooLarge = (got: string) =>
    new HttpError("request_too_large", `request body: want at most ${bodyBytes} bytes, got ${got}`);
  const encoding = bodyEncoding(c.req.header("content-encoding"));
  const declared = Number(c.req.header("content-length") ?? NaN);
  if (declared > bodyBytes) throw tooLarge(String(declared));
  const { body } = c.req.raw;
  if (!body) return new Uint8Array();

  const late = new HttpError("request_timeout", `request body: want it within ${bodyMs} ms`);
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  deadline.catch(() => {});
  const known = encoding === undefined && declared > 0 ? declared : undefined;
  let room = freeBytes;
  let shrinkTo: ((bytes: number) => void) | undefined;
  const makeRoom = async (size: number): Promise<boolean> => {
    if (size <= room) return false;
    // How long an encoded or chunked body gets is known only at its end.
    room = known ?? bodyBytes;
    shrinkTo = await bodies.take(room, c.get("caller"), c.get("life"));
    return true;
  };
  await makeRoom(known ?? 0);
  const timer = setTimeout(() => reject(late), bodyMs);
  const raw = chunksOf(body);
  const chunks = encoding === undefined ? raw : decoded(raw, encoding);
  const gathered: Uint8Array[] = [];
  let size = 0;
  try {
    while (true) {
      const { done, value } = await Promise.race([chunks.next(), deadline]);
      if (done) {
        shrinkTo?.(size);
        return Buffer.concat(gathered, size);
      }
      size += value.length;
      if (size > bodyBytes) throw tooLarge("more");
      watch(value);
      // The wait for room is not the caller's.
      if (await makeRoom(size)) timer.refresh();
      gathered.push(value);
    }
  } catch (error) {
    // Not awaited: a body that stalls holds its own end up.
    chunks.return().catch(() => {});
    if (error instanceof HttpError || error instanceof TinyGptvError) throw error;
    throw new HttpError(
      "client_closed_request",
      "request body: the connection ended before the body did",
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Given up early, the rest is left where it is: cancelling would cut the connection, see sockets/exchange.ts. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The body as JSON.
 * @throws HttpError unsupported_media_type, invalid_json, and those of readBytes
 */
export async function readJson(c: Context<AppEnv>, reading: Reading): Promise<unknown> {
  const type = mediaType(c);
  if (type !== "application/json" && !type.endsWith("+json"))
    throw new HttpError(
      "unsupported_media_type",
      `content-type: want application/json, got ${type || "none"}`,
    );
  const bytes = await readBytes(c, reading, createJsonBounds(reading.config.limits));
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
