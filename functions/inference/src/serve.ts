import { createAdaptorServer } from "@hono/node-server";
import type { HttpBindings } from "@hono/node-server";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Activity } from "./activity.ts";
import { HttpError } from "./errors.ts";
import { isLoopbackHost } from "./middleware/origin.ts";

export interface ServeOptions {
  /** The endpoint, or an app around it. */
  readonly app: { fetch(request: Request, env: HttpBindings): Response | Promise<Response> };
  /** The one the app counts with. */
  readonly activity: Activity;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Whether keys are configured; without, only the loopback may be listened on. */
  readonly hasKeys: boolean;
  /** Milliseconds a request's head may take to arrive. */
  readonly headMs?: number;
  /**
   * Milliseconds without a byte in either direction after which a connection is
   * closed: nobody reads, or nobody is there. Longer than an answer may take.
   */
  readonly silenceMs?: number;
}

export interface RunningServer {
  readonly url: string;
  /**
   * Refuses new work, lets what runs finish for at most `graceMs`, then closes
   * all connections.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens on a TCP port.
 * @throws TinyGptvError "parameter" for another host than the loopback without keys, "io" where it cannot listen
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { app, activity, host, port, hasKeys, headMs = 15_000, silenceMs = 310_000 } = options;
  if (!hasKeys && !isLoopbackHost(host.includes(":") ? `[${host}]` : host))
    throw new TinyGptvError(
      "parameter",
      `host: want localhost, 127.0.0.1 or ::1 without keys, got ${host}`,
      {
        subject: "host",
      },
    );
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, env as HttpBindings),
    hostname: host,
    overrideGlobalObjects: false,
    // Bodies have a deadline of their own, see body.ts.
    serverOptions: {
      headersTimeout: headMs,
      requestTimeout: 0,
      connectionsCheckingInterval: headMs / 2,
    },
  }) as HttpServer;
  server.on("clientError", refuseConnection);
  server.timeout = silenceMs;
  await listen(server, port, host);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    async close(graceMs) {
      const closed = new Promise((resolve) => server.close(resolve));
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, graceMs);
      await Promise.race([activity.drain(), grace.promise]);
      clearTimeout(timer);
      // Answers are complete: what is still open is idle, or had its time.
      server.closeIdleConnections();
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500))]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: HttpServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new TinyGptvError("io", `cannot listen on ${host}:${port}: ${cause.message}`, { cause }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

const headErrors: Readonly<Record<string, HttpError>> = {
  HPE_HEADER_OVERFLOW: new HttpError("headers_too_large", "the request's headers are too large"),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpError("request_timeout", "the request's head took too long"),
};
const notHttp = new HttpError("invalid_request", "this is not a valid HTTP request");

/** What never became a request is answered in the same shape. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const { status, body } = headErrors[error.code ?? ""] ?? notHttp;
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
