import { Hono } from "hono";
import { preprocessRequestSchema, preprocessResponseSchema } from "@tinygptv/protocol/http";
import type { PreprocessResponse } from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { pictureId } from "../images/pictureStore.ts";
import type { AppEnv, Services } from "../services.ts";
import { validate } from "../validate.ts";
import { documented, json, jsonBody } from "./describe.ts";

const description = documented({
  summary: "What the model sees of a picture",
  requestBody: jsonBody(preprocessRequestSchema),
  responses: {
    200: { description: "Sizes, tensor hash and preview", content: json(preprocessResponseSchema) },
  },
});

/** `POST /v1/preprocess` */
export function preprocessRoutes(services: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/preprocess", description, services.admit, async (c) => {
    const { signal } = c.get("life");
    const body = validate(preprocessRequestSchema, await readJson(c, services));
    const model = await services.models.idOf(body.model);
    const [image] = await services.pictures([{ url: body.image, param: "image" }], c.var);
    c.get("prepared")();
    const mode = body.image_mode ?? "display";
    const seen = await services.engine.preprocess(image!, mode, {
      model,
      client: c.get("caller"),
      signal,
    });
    const answer: PreprocessResponse = {
      object: "preprocessed_image",
      model,
      id: pictureId(image!),
      width: seen.width,
      height: seen.height,
      size: seen.size,
      tensor_sha256: seen.tensorHash,
      preview: `data:image/png;base64,${Buffer.from(seen.png).toString("base64")}`,
    };
    return c.json(answer);
  });
}
