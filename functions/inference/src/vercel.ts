/** The endpoint as a Vercel function of the Node runtime: one listener for all methods and paths. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { readEnvironment } from "./environment.ts";
import { openEndpoint } from "./node.ts";

/** Models that the build has put beside this file, named by their place in the order they were given. */
const folder = fileURLToPath(new URL("models", import.meta.url));
const models = existsSync(folder)
  ? readdirSync(folder)
      .toSorted((a, b) => Number(a) - Number(b))
      .map((name) => join(folder, name))
  : [];

/** What holds unless the project's variables say otherwise. Only /tmp can be written to, and it does not last. */
const defaults = {
  ...(models.length > 0 && { TINYGPTV_MODELS: models.join(",") }),
  TINYGPTV_STORE: process.env.BLOB_READ_WRITE_TOKEN ? "blob" : "memory",
  TINYGPTV_MODEL_CACHE: "/tmp/models",
};

const { app } = await openEndpoint(readEnvironment({ ...defaults, ...process.env }));

export default getRequestListener((request, env) => app.fetch(request, env), {
  overrideGlobalObjects: false,
});
