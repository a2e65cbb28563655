import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import {
  notebookCreatedSchema,
  notebookIdPattern,
  notebookObjectSchema,
  notebookRequestSchema,
} from "@tinygptv/protocol/http";
import type { NotebookCreated, NotebookObject } from "@tinygptv/protocol/http";
import { readJson } from "../body.ts";
import { HttpError } from "../errors.ts";
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
  summary: "A shared notebook",
  security: [],
  responses: { 200: { description: "The copy", content: json(notebookObjectSchema) } },
});

const keyOf = (id: string) => `notebooks/${id.slice("nb_".length)}`;

/** `POST /v1/notebooks` */
export function notebookRoutes({ store, config: { limits } }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/notebooks", post, async (c) => {
    const { signal } = c.get("life");
    const {
      title = "",
      markdown,
      files = {},
    } = validate(notebookRequestSchema, await readJson(c, limits));
    const id = `nb_${randomBytes(16).toString("hex")}`;
    const created: NotebookCreated = {
      id,
      object: "notebook",
      created: Math.floor(Date.now() / 1000),
      title,
    };
    const notebook: NotebookObject = { ...created, markdown, files };
    const bytes = Buffer.from(JSON.stringify(notebook));
    await store.put(keyOf(id), bytes, {
      contentType: "application/json",
      ifNoneMatch: "*",
      signal,
    });
    return c.json(created, 201);
  });
}

/** `GET /v1/notebooks/{id}`: open to all, so it comes before authentication. */
export function sharedNotebookRoutes({ store }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/v1/notebooks/:id", get, async (c) => {
    const { signal } = c.get("life");
    const id = c.req.param("id");
    const stored = notebookIdPattern.test(id) ? await store.get(keyOf(id), { signal }) : undefined;
    if (!stored)
      throw new HttpError("notebook_not_found", `there is no notebook ${id.slice(0, 80)}`, {
        param: "id",
      });
    return c.body(c.get("life").stream(stored.body.values()), 200, {
      "content-type": "application/json",
      "cache-control": "private, max-age=31536000, immutable",
    });
  });
}
