import { Hono } from "hono";
import {
  deletedSchema,
  notebookCreatedSchema,
  notebookObjectSchema,
  notebookRequestSchema,
} from "@tinygptv/protocol/http";
import type { Deleted, NotebookCreated, NotebookObject } from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { HttpError } from "../errors.ts";
import { notebookId } from "../notebookStore.ts";
import type { AppEnv, Services } from "../services.ts";
import { validate } from "../validate.ts";
import { documented, json, jsonBody } from "./describe.ts";

const post = documented({
  summary: "Share a notebook",
  description:
    "Keeps a read-only copy under an id of its own. Who has the id can read it, without a key.",
  requestBody: jsonBody(notebookRequestSchema),
  responses: { 201: { description: "The copy's id", content: json(notebookCreatedSchema) } },
});
const get = documented({
  missing: true,
  summary: "A shared notebook",
  security: [],
  responses: { 200: { description: "The copy", content: json(notebookObjectSchema) } },
});

const remove = documented({
  missing: true,
  summary: "Forget a shared notebook",
  description: "By the key that shared it.",
  responses: { 200: { description: "It is gone", content: json(deletedSchema) } },
});

const notFound = (id: string) =>
  new HttpError("notebook_not_found", `there is no notebook ${id.slice(0, 80)}`, { param: "id" });

/** `POST /v1/notebooks`, `DELETE /v1/notebooks/{id}` */
export function notebookRoutes(services: Services): Hono<AppEnv> {
  const { notebookStore, config } = services;
  const { notebookBytes } = config.limits;
  return new Hono<AppEnv>()
    .post("/v1/notebooks", post, async (c) => {
      const {
        title = "",
        markdown,
        files = {},
      } = validate(notebookRequestSchema, await readJson(c, services));
      const created: NotebookCreated = {
        id: notebookId(),
        object: "notebook",
        created: Math.floor(Date.now() / 1000),
        title,
      };
      const notebook: NotebookObject = { ...created, markdown, files };
      const bytes = Buffer.from(JSON.stringify(notebook));
      if (bytes.length > notebookBytes)
        throw new HttpError(
          "request_too_large",
          `notebook: want at most ${notebookBytes} bytes with its files, got ${bytes.length}`,
        );
      await notebookStore.put(c.get("tenant"), created.id, bytes, c.get("life").signal);
      services.sweep();
      return c.json(created, 201);
    })
    .delete("/v1/notebooks/:id", remove, async (c) => {
      const id = c.req.param("id");
      if (!(await notebookStore.remove(c.get("tenant"), id, c.get("life").signal)))
        throw notFound(id);
      const answer: Deleted = { id, object: "notebook", deleted: true };
      return c.json(answer);
    });
}

/** `GET /v1/notebooks/{id}`: open to all, so it comes before authentication. */
export function sharedNotebookRoutes({ notebookStore }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/v1/notebooks/:id", get, async (c) => {
    const life = c.get("life");
    const id = c.req.param("id");
    const stored = await notebookStore.get(id, life.signal);
    if (!stored) throw notFound(id);
    return c.body(life.stream(stored.body.values()), 200, {
      "content-type": "application/json",
      // It never changes, but it can be deleted.
      "cache-control": "private, max-age=3600",
    });
  });
}
