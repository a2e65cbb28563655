import { RequestError, getRequestListener } from "@hono/node-server";
import type { HttpBindings } from "@hono/node-server";
import { createServer } from "node:http";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Activity } from "./activity.ts";
import { HttpError } from "./errors.ts";
import { isLoopbackHost } from "./middleware/origin.ts";
import { connectionLimit } from "./sockets/connectionLimit.ts";
import { dropRest, probeHalfClosed } from "./sockets/exchange.ts";
import { parserError, refusal, refuseConnection, refuseRequest } from "./sockets/refuse.ts";

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
  /** Connections at once, see `connectionLimit`. */
  readonly connections?: number;
  /** Milliseconds a request's head may take to arrive, from the connection on. */
  readonly headMs?: number;
  /** Milliseconds its body may take after that; the app gives up first, see body.ts. */
  readonly bodyMs?: number;
  /** Milliseconds an idle connection is kept: longer than a proxy keeps those of its pool (60 s is usual). */
  readonly keepAliveMs?: number;
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
  const { activity, host, port, hasKeys } = options;
  if (!hasKeys && !isLoopbackHost(host.includes(":") ? `[${host}]` : host))
    throw new TinyGptvError(
      "parameter",
      `host: want localhost, 127.0.0.1 or ::1 without keys, got ${host}`,
      { subject: "host" },
    );
  const server = openServer(options);
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

function openServer({
  app,
  host,
  connections = 1024,
  headMs = 15_000,
  bodyMs = 30_000,
  keepAliveMs = 75_000,
  silenceMs = 310_000,
}: ServeOptions): HttpServer {
  const answer = getRequestListener((request, env) => app.fetch(request, env as HttpBindings), {
    hostname: host,
    overrideGlobalObjects: false,
    autoCleanupIncoming: false, // see dropRest
    errorHandler: (error) => refusal(requestError(error)),
  });
  const timing = {
    headersTimeout: headMs,
    requestTimeout: headMs + bodyMs,
    connectionsCheckingInterval: headMs / 2,
    keepAliveTimeout: keepAliveMs,
  };
  /** The last exchange on each connection. */
  const exchanges = new WeakMap<Duplex, { incoming: IncomingMessage; outgoing: ServerResponse }>();
  const server = createServer({ ...timing, requireHostHeader: false }, (incoming, outgoing) => {
    exchanges.set(incoming.socket, { incoming, outgoing });
    dropRest(incoming, outgoing, bodyMs);
    probeHalfClosed(incoming, outgoing);
    if (incoming.headers.host === undefined && incoming.httpVersion !== "1.0")
      return refuseRequest(
        outgoing,
        new HttpError("invalid_request", "host: this header is required"),
      );
    void answer(incoming, outgoing);
  });
  // The answer to a client that has closed its half is still wanted, see probeHalfClosed.
  Reflect.set(server, "httpAllowHalfOpen", true);
  server.timeout = silenceMs;
  server.maxConnections = connectionLimit(connections);
  return server
    .on("drop", () => server.closeIdleConnections())
    .on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const last = exchanges.get(socket);
      const underWay =
        last?.outgoing.headersSent && !(last.outgoing.writableFinished && last.incoming.complete);
      if (!socket.writable || underWay || error.code === "ECONNRESET") socket.destroy();
      else refuseConnection(socket, parserError(error));
    })
    .on("checkExpectation", ({ headers }, outgoing) =>
      refuseRequest(
        outgoing,
        new HttpError(
          "expectation_failed",
          `expect: want 100-continue, got ${JSON.stringify(headers.expect)}`,
        ),
      ),
    )
    .on("connect", (_, socket) =>
      refuseConnection(socket, new HttpError("method_not_allowed", "CONNECT: this is no proxy")),
    );
}

/** Of the request's own faults the text is told; the app answers all other errors itself. */
function requestError(error: unknown): HttpError {
  return error instanceof RequestError
    ? new HttpError("invalid_request", `request: ${error.message}`)
    : new HttpError("internal_error", "something went wrong in the server", { cause: error });
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
