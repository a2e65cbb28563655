/** Answers to what never became a request: the same shape, with an id of their own. */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HttpError } from "../errors.ts";

/** Time for the answer to be read before the connection is cut: whoever ignores it holds no descriptor. */
const readingMs = 1000;

const byCode: Readonly<Record<string, HttpError>> = {
  HPE_HEADER_OVERFLOW: new HttpError("headers_too_large", "the request's headers are too large"),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpError("request_timeout", "the request took too long to arrive"),
};
const notHttp = new HttpError("invalid_request", "this is not a valid HTTP request");

/** What is told of an error of Node's parser or of its clocks. */
export function parserError({ code = "" }: NodeJS.ErrnoException): HttpError {
  return byCode[code] ?? notHttp;
}

/** Writes an answer onto a connection that has none under way, and ends it. */
export function refuseConnection(socket: Duplex, { status, body, headers }: HttpError): void {
  const text = JSON.stringify(body);
  const head = {
    ...headers,
    connection: "close",
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "x-request-id": randomUUID(),
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`);
  const timer = setTimeout(() => socket.destroy(), readingMs);
  socket.once("close", () => clearTimeout(timer));
}

/** The same to a request that is not handed to the app. */
export function refuseRequest(outgoing: ServerResponse, { status, body }: HttpError): void {
  const text = JSON.stringify(body);
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "x-request-id": randomUUID(),
  };
  outgoing.writeHead(status, headers).end(text);
}

/** The same as a response. */
export function refusal({ status, body }: HttpError): Response {
  return Response.json(body, { status, headers: { "x-request-id": randomUUID() } });
}
