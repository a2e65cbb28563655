import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { HttpBindings } from "@hono/node-server";
import { apiPaths, pageHeaders } from "@tinygptv/protocol/http";
import { Hono } from "hono";
import type { IncomingMessage, ServerResponse } from "node:http";

/** How SvelteKit's Node adapter answers requests for pages. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** The endpoint, as much of it as is needed here. */
export interface Api {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
}

/**
 * Endpoint and playground on one port, in one process: what is read and no path
 * of the API is the app's pages and files. What is sent elsewhere was meant for
 * the API, which says what path it is missing.
 */
export function withPages(api: Api, pages: PageHandler): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.on(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], [...apiPaths], ({ req, env }) =>
    api.fetch(req.raw, env),
  );
  app.on(["GET", "HEAD"], "*", ({ env }) => {
    for (const [name, value] of Object.entries(pageHeaders)) env.outgoing.setHeader(name, value);
    pages(env.incoming, env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  app.all("*", ({ req, env }) => api.fetch(req.raw, env));
  return app;
}
