/** A real listening server over any engine. */
import { request } from "node:http";
import { connect } from "node:net";
import type { Engine } from "@tinygptv/protocol";
import { createActivity } from "../src/activity.ts";
import { createApp } from "../src/app.ts";
import type { AppOptions } from "../src/app.ts";
import { startServer } from "../src/serve.ts";
import type { RunningServer, ServeOptions } from "../src/serve.ts";
import { memoryStore } from "../src/store/memoryStore.ts";

export interface TestServer extends RunningServer {
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

type Sockets = Pick<
  ServeOptions,
  "headMs" | "bodyMs" | "silenceMs" | "connections" | "keepAliveMs"
>;

export async function testServer(
  engine: Engine,
  {
    headMs,
    bodyMs,
    silenceMs,
    connections,
    keepAliveMs,
    activity = createActivity(),
    ...options
  }: Partial<AppOptions> & Sockets = {},
): Promise<TestServer> {
  const app = createApp({ store: memoryStore({ maxBytes: 1e7 }), ...options, engine, activity });
  const hasKeys = (options.config?.keys ?? []).length > 0;
  const server = await startServer({
    app,
    activity,
    host: "127.0.0.1",
    port: 0,
    hasKeys,
    headMs,
    bodyMs,
    silenceMs,
    connections,
    keepAliveMs,
  });
  return {
    ...server,
    port: Number(new URL(server.url).port),
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Sends a request as it is: no path is tidied up, no header added but those that HTTP needs. */
export function send(
  { port }: TestServer,
  {
    method = "POST",
    path,
    headers = { "content-type": "application/json" },
    body,
  }: {
    method?: string;
    path: string;
    headers?: Record<string, string>;
    body?: string | Uint8Array;
  },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, host: "127.0.0.1", method, path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Writes bytes to a socket and gives back everything that comes until the server closes it. */
export function sendRaw({ port }: TestServer, text: string, { end = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    });
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
    socket.write(text);
    if (end) socket.end();
  });
}
