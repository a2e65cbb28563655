import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { HttpBindings } from "@hono/node-server";
import { apiPaths } from "@tinygptv/protocol/http";
import { Hono } from "hono";
import type { IncomingMessage, ServerResponse } from "node:http";

/** How SvelteKit's Node adapter answers requests for pages. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** The endpoint, as much of it as is needed here. */
export interface Api {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
}

/** Endpoint and playground on one port, in one process: what is no path of the API is the app's pages and files. */
export function withPages(api: Api, pages: PageHandler): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.on(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], [...apiPaths], ({ req, env }) =>
    api.fetch(req.raw, env),
  );
  app.all("*", ({ env }) => {
    pages(env.incoming, env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  return app;
}
