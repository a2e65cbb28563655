/** A local server of files that misbehaves as told. */
import { statSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";

/** What goes wrong with one request. */
export interface Fault {
  /** Ends the connection after so many bytes of the body. */
  dropAfter?: number;
  /** Sends so many bytes of the body and then nothing more. */
  stallAfter?: number;
  /** Sends everything where a range was asked for. */
  ignoresRange?: boolean;
  /** Sends another range than the one asked for. */
  wrongRange?: boolean;
  /** Changes one byte. */
  corrupts?: boolean;
  /** Announces so many bytes too many or too few. */
  lengthError?: number;
  /** Sends the body in small pieces with pauses between them. */
  isSlow?: boolean;
  status?: number;
  headers?: Record<string, string>;
}

export interface ServedFile {
  content: Buffer;
  /** Faults of the first requests, one each; then all goes well. */
  faults?: Fault[];
  etag?: string;
  /** Where the client puts it: a connection is dropped only when what was sent has arrived there. */
  partPath?: string;
}

export interface FileServer {
  url(path?: string): string;
  /** By path; tests put files here. */
  readonly files: Map<string, ServedFile>;
  /** Every request so far: path, and the range asked for. */
  readonly requests: { path: string; range: string | undefined }[];
}

/** Starts a server for the tests of a file; call at the top. */
export function fileServer(): FileServer {
  const files = new Map<string, ServedFile>();
  const requests: FileServer["requests"] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "").slice(1);
    requests.push({ path, range: request.headers.range });
    void answer(files.get(path), request, response);
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: (path = "") => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`,
    files,
    requests,
  };
}

async function answer(
  file: ServedFile | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!file) return void response.writeHead(404).end("not here");
  const fault = file.faults?.shift() ?? {};
  if (fault.status) return void response.writeHead(fault.status, fault.headers).end("no");
  const start = rangeStart(file, fault, request);
  if (start >= file.content.length && start > 0) {
    const headers = { "content-range": `bytes */${file.content.length}` };
    return void response.writeHead(416, headers).end();
  }
  const body = Buffer.from(file.content.subarray(start));
  if (fault.corrupts) body[body.length >> 1]! ^= 1;
  response.writeHead(start > 0 ? 206 : 200, {
    "content-length": body.length + (fault.lengthError ?? 0),
    ...(file.etag && { etag: file.etag }),
    ...(start > 0 && { "content-range": rangeHeader(start + (fault.wrongRange ? 1 : 0), file) }),
    ...fault.headers,
  });
  const arrived = async (bytes: number) => {
    while (file.partPath && sizeOf(file.partPath) < start + bytes) await sleep(5);
  };
  await send(body, fault, response, arrived);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function rangeStart({ etag }: ServedFile, fault: Fault, { headers }: IncomingMessage): number {
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  const range = /^bytes=(\d+)-$/.exec(headers.range ?? "");
  return range && isSame && !fault.ignoresRange ? Number(range[1]) : 0;
}

function rangeHeader(start: number, { content }: ServedFile): string {
  return `bytes ${start}-${content.length - 1}/${content.length}`;
}

async function send(
  body: Buffer,
  fault: Fault,
  response: ServerResponse,
  arrived: (bytes: number) => Promise<void>,
): Promise<void> {
  if (fault.dropAfter !== undefined) {
    response.write(body.subarray(0, fault.dropAfter));
    await arrived(fault.dropAfter);
    response.destroy();
  } else if (fault.stallAfter !== undefined) {
    response.write(body.subarray(0, fault.stallAfter));
  } else if (fault.isSlow) {
    for (let i = 0; i < body.length; i += 1000) {
      response.write(body.subarray(i, i + 1000));
      await sleep(2);
    }
    response.end();
  } else {
    response.end(body);
  }
}
