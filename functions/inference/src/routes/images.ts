import { Hono } from "hono";
import type { Context } from "hono";
import { deletedSchema, imageObjectSchema, imageTypes } from "@tinygptv/protocol/http";
import type { Deleted, ImageObject } from "@tinygptv/protocol/http";
import { mediaType, readBytes } from "../body/read.ts";
import { HttpError } from "../errors.ts";
import { checkSize } from "../images/loadPictures.ts";
import { pictureType } from "../images/pictureType.ts";
import type { AppEnv, Services } from "../services.ts";
import { documented, json } from "./describe.ts";

const binary = { schema: { type: "string", format: "binary" } } as const;
const formBody = {
  schema: {
    type: "object" as const,
    properties: { file: binary.schema },
    required: ["file"],
  },
};
const bytesOf = Object.fromEntries(imageTypes.map((type) => [type, binary]));

const post = documented({
  summary: "Upload a picture once",
  description:
    "Its id stands wherever a picture's URL can, for the key that uploaded it. The same picture has the same id.",
  requestBody: {
    required: true,
    content: { ...bytesOf, "application/octet-stream": binary, "multipart/form-data": formBody },
  },
  responses: {
    200: { description: "This key had the picture already", content: json(imageObjectSchema) },
    201: { description: "The picture is kept", content: json(imageObjectSchema) },
  },
});
const get = documented({
  missing: true,
  summary: "An uploaded picture",
  responses: { 200: { description: "Its bytes", content: bytesOf } },
});
const remove = documented({
  missing: true,
  summary: "Forget an uploaded picture",
  responses: { 200: { description: "It is gone", content: json(deletedSchema) } },
});

/** `POST /v1/images`, `GET` and `DELETE /v1/images/{id}` */
export function imageRoutes(services: Services): Hono<AppEnv> {
  const { engine, pictureStore } = services;
  const notFound = (id: string) =>
    new HttpError("image_not_found", `there is no picture ${id.slice(0, 80)}`, { param: "id" });

  return new Hono<AppEnv>()
    .post("/v1/images", post, services.admit, async (c) => {
      const { signal } = c.get("life");
      const bytes = await readPicture(c, services);
      const type = pictureType(bytes, "file");
      // The engine decodes it once: what is kept can be used.
      const { width, height } = await engine.preprocess(bytes, "display", {
        client: c.get("caller"),
        signal,
      });
      const { id, created } = await pictureStore.put(c.get("tenant"), bytes, type, signal);
      services.sweep();
      const answer: ImageObject = {
        id,
        object: "image",
        created: Math.floor(Date.now() / 1000),
        type,
        bytes: bytes.length,
        width,
        height,
      };
      return c.json(answer, created ? 201 : 200);
    })
    .get("/v1/images/:id", get, async (c) => {
      const { signal } = c.get("life");
      const id = c.req.param("id");
      const stored = await pictureStore.find(c.get("tenant"), id, signal);
      if (!stored) throw notFound(id);
      return c.body(c.get("life").stream(await stored.open()), 200, {
        "content-type": stored.contentType,
        "content-length": String(stored.size),
        // The id is the content's hash: it never changes.
        "cache-control": "private, max-age=31536000, immutable",
        etag: `"${id}"`,
      });
    })
    .delete("/v1/images/:id", remove, async (c) => {
      const { signal } = c.get("life");
      const id = c.req.param("id");
      if (!(await pictureStore.remove(c.get("tenant"), id, signal))) throw notFound(id);
      const answer: Deleted = { id, object: "image", deleted: true };
      return c.json(answer);
    });
}

/** The body itself, or the one `file` of a form. */
async function readPicture(c: Context<AppEnv>, services: Services): Promise<Uint8Array> {
  const type = mediaType(c);
  const isForm = type === "multipart/form-data";
  if (!isForm && !type.startsWith("image/") && type !== "application/octet-stream")
    throw new HttpError(
      "unsupported_media_type",
      `content-type: want image/…, application/octet-stream or multipart/form-data, got ${type || "none"}`,
    );
  const body = await readBytes(c, services);
  const bytes = isForm ? await fileOf(c, body) : body;
  checkSize(bytes, services.config.limits.imageBytes, "file");
  return bytes;
}

async function fileOf(c: Context<AppEnv>, body: Uint8Array): Promise<Uint8Array> {
  const headers = { "content-type": c.req.header("content-type")! };
  const form = await new Response(new Uint8Array(body), { headers })
    .formData()
    .catch((cause: unknown) => {
      throw new HttpError("invalid_value", "request body is not a multipart form", { cause });
    });
  const file = form.get("file");
  if (!(file instanceof File))
    throw new HttpError("missing_required_parameter", "file: required in the form", {
      param: "file",
    });
  return new Uint8Array(await file.arrayBuffer());
}
