import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { HttpBindings } from "@hono/node-server";
import { apiPaths, modelsPath, pageHeaders } from "@tinygptv/protocol/http";
import { Hono } from "hono";
import sirv from "sirv";
import type { PageModels } from "./pageModels.ts";

/** The endpoint, as much of it as is needed here. */
export interface Api {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
}

/** Files named by their content. */
const immutable = "/_app/immutable/";

/**
 * Endpoint and a site on one port, in one process: what is read and no path of
 * the API is a file of the site, or its one page, which finds out in the browser
 * what it shows. What is sent elsewhere was meant for the API, which says what
 * path it is missing.
 * @param site folder with `index.html`; files beside it may have `.br` and `.gz` copies
 * @param models for pages that run them; those of the site itself unless given
 */
export function withPages(
  api: Api,
  site: string,
  models?: PageModels,
): Hono<{ Bindings: HttpBindings }> {
  const pages = sirv(site, {
    single: true,
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders: (response, path) =>
      response.setHeader(
        "cache-control",
        path.startsWith(immutable) ? "public, max-age=31536000, immutable" : "no-cache",
      ),
  });
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.on(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], [...apiPaths], ({ req, env }) =>
    api.fetch(req.raw, env),
  );
  app.on(["GET", "HEAD"], "*", ({ env }) => {
    const { incoming, outgoing } = env;
    for (const [name, value] of Object.entries(pageHeaders)) outgoing.setHeader(name, value);
    const files = models && incoming.url!.startsWith(modelsPath) ? models : pages;
    files(incoming, outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  app.all("*", ({ req, env }) => api.fetch(req.raw, env));
  return app;
}
