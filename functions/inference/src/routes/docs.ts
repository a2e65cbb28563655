import { readFile } from "node:fs/promises";
import { Hono } from "hono";
import { html } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import { openAPIRouteHandler } from "hono-openapi";
import type { AppEnv } from "../services.ts";

/** Served from the package: the page asks nobody else for anything. */
const assets: Readonly<Record<string, { type: string; file: string }>> = {
  "swagger-ui.css": {
    type: "text/css; charset=utf-8",
    file: import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
  },
  "swagger-ui-bundle.js": {
    type: "text/javascript; charset=utf-8",
    file: import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
  },
};

const start = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", validatorUrl: null, deepLinking: true });`;

const page = html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>TinyGPT-V endpoint</title>
      <link rel="stylesheet" href="/docs/swagger-ui.css" />
    </head>
    <body>
      <div id="docs"></div>
      <script src="/docs/swagger-ui-bundle.js"></script>
      <script src="/docs/start.js"></script>
    </body>
  </html>`;

/** `GET /openapi.json`, made from the schemas that validate, and `GET /docs` to browse it. */
export function docsRoutes(app: Hono<AppEnv>): Hono<AppEnv> {
  const document = {
    openapi: "3.1.0",
    info: {
      title: "TinyGPT-V",
      version: "1",
      description: "Questions about pictures, OpenAI-compatible.",
    },
    servers: [{ url: "/", description: "This server" }],
    components: { securitySchemes: { bearer: { type: "http" as const, scheme: "bearer" } } },
    security: [{ bearer: [] }],
  };
  const policy = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      // Swagger UI sets styles on elements and has its icons in data URLs.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", "data:"],
    },
  });
  return new Hono<AppEnv>()
    .get("/openapi.json", openAPIRouteHandler(app, { documentation: document }))
    .get("/docs", policy, (c) => c.html(page))
    .get("/docs/start.js", (c) =>
      c.body(start, 200, { "content-type": "text/javascript; charset=utf-8" }),
    )
    .get("/docs/:asset", async (c) => {
      const asset = assets[c.req.param("asset")];
      if (asset === undefined) return c.notFound();
      const bytes = await readFile(new URL(asset.file));
      return c.body(new Uint8Array(bytes), 200, {
        "content-type": asset.type,
        "cache-control": "public, max-age=86400",
      });
    });
}
