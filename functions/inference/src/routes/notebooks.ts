import { json as readKept } from "node:stream/consumers";
import { Hono } from "hono";
import type { Context } from "hono";
import {
  deletedSchema,
  notebookCreatedSchema,
  notebookObjectSchema,
  notebookRequestSchema,
} from "@tinygptv/protocol/http";
import type {
  Deleted,
  NotebookCreated,
  NotebookObject,
  NotebookRequest,
} from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { HttpError } from "../errors.ts";
import { notebookId, repeatableId } from "../notebookStore.ts";
import type { AppEnv, Services } from "../services.ts";
import { validate } from "../validate.ts";
import { documented, errorResponses, json, jsonBody } from "./describe.ts";

const post = documented({
  summary: "Share a notebook",
  description:
    "Keeps a read-only copy under an id of its own. Who has the id can read it, without a key. " +
    "With an `idempotency-key` an upload that is sent again makes no second copy.",
  parameters: [
    {
      in: "header",
      name: "idempotency-key",
      schema: { type: "string", minLength: 1 },
      description: "The same at every attempt to upload the same notebook, another for any other",
    },
  ],
  requestBody: jsonBody(notebookRequestSchema),
  responses: {
    200: {
      description: "An earlier attempt got through: its copy",
      content: json(notebookCreatedSchema),
    },
    201: { description: "The copy's id", content: json(notebookCreatedSchema) },
    ...errorResponses(422),
  },
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

  /** What is said of a copy that an earlier attempt made. */
  async function answerKept(id: string, signal: AbortSignal): Promise<NotebookCreated> {
    const kept = await notebookStore.get(id, signal);
    if (!kept) throw notFound(id);
    return notebookCreatedSchema.parse(await readKept(kept.body));
  }

  return new Hono<AppEnv>()
    .post("/v1/notebooks", post, async (c) => {
      const {
        title = "",
        markdown,
        files = {},
      } = validate(notebookRequestSchema, await readJson(c, services));
      const { signal } = c.get("life");
      const created: NotebookCreated = {
        id: idOf(c, { title, markdown, files }),
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
      const isNew = await notebookStore.put(c.get("tenant"), created.id, bytes, signal);
      services.sweep();
      return isNew ? c.json(created, 201) : c.json(await answerKept(created.id, signal));
    })
    .delete("/v1/notebooks/:id", remove, async (c) => {
      const id = c.req.param("id");
      if (!(await notebookStore.remove(c.get("tenant"), id, c.get("life").signal)))
        throw notFound(id);
      const answer: Deleted = { id, object: "notebook", deleted: true };
      return c.json(answer);
    });
}

/** An id of its own for every upload; attempts with the same idempotency key are one upload. */
function idOf(c: Context<AppEnv>, content: Required<NotebookRequest>): string {
  const key = c.req.header("idempotency-key");
  return key ? repeatableId(c.get("tenant"), key, JSON.stringify(content)) : notebookId();
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
      "content-length": String(stored.size),
      // It never changes, but it can be deleted.
      "cache-control": "private, max-age=3600",
    });
  });
}
