/** An inference server for tests: a real one on loopback that does what the test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";

export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
  /** Whether it came to its end. */
  complete: boolean;
  /** Settles when the connection is closed before the answer is complete. */
  gone: Promise<void>;
}

export type Behaviour = (response: ServerResponse, seen: Seen) => void | Promise<void>;

export interface TestOrigin {
  url: string;
  /** Requests under /v1, in order. */
  seen: Seen[];
  ready: boolean;
  /** Takes connections and says nothing, as a process that was stopped does. */
  stopped: boolean;
  behave: Behaviour;
  /** Closes its port and all connections, as a server that dies. */
  kill(): Promise<void>;
}

export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

export function startEvents(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
}

export const sendEvent = (response: ServerResponse, text: string) =>
  response.write(`data: ${JSON.stringify({ text })}\n\n`);

export async function startOrigin(behave?: Behaviour): Promise<TestOrigin> {
  const origin: TestOrigin = {
    url: "",
    seen: [],
    ready: true,
    stopped: false,
    // By default each answer is another one, so that a kept one shows.
    behave:
      behave ??
      ((response) => sendJson(response, { from: origin.url, answer: origin.seen.length })),
    kill: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (origin.stopped && request.url === "/ready") return;
    if (request.url === "/ready") return void response.writeHead(origin.ready ? 200 : 503).end();
    const gone = new Promise<void>((resolve) => {
      response.once("close", () => response.writableFinished || resolve());
    });
    const { method = "", url: path = "", headers } = request;
    const body = await readText(request).catch(() => "");
    const seen = { method, path, headers, body, complete: request.complete, gone };
    origin.seen.push(seen);
    if (!origin.stopped) await origin.behave(response, seen);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return origin;
}
