import { Hono } from "hono";
import { splitId } from "@tinygptv/protocol";
import type { EngineStatus, ModelInfo } from "@tinygptv/protocol";
import { modelListSchema, modelObjectSchema } from "@tinygptv/protocol/http";
import type { ModelList, ModelObject } from "@tinygptv/protocol/http";
import type { AppEnv, Services } from "../services.ts";
import { documented, json } from "./describe.ts";

const listAll = documented({
  summary: "Every quantization level of every model, and every adapter beside them",
  responses: {
    200: { description: "The levels, each name's default first", content: json(modelListSchema) },
  },
});
const getOne = documented({
  missing: true,
  summary: "One level, or adapter beside one",
  responses: { 200: { description: "The level or adapter", content: json(modelObjectSchema) } },
});

/** `GET /v1/models`, `GET /v1/models/{id}` */
export function modelRoutes({ models, engine }: Services): Hono<AppEnv> {
  const created = Math.floor(Date.now() / 1000);
  return new Hono<AppEnv>()
    .get("/v1/models", listAll, async (c) => {
      const answer: ModelList = {
        object: "list",
        data: (await models.list()).map((info) => toModelObject(info, engine.status(), created)),
      };
      return c.json(answer);
    })
    .get("/v1/models/:id", getOne, async (c) => {
      const id = await models.idOf(c.req.param("id"), "id");
      const info = (await models.list()).find((model) => model.id === id);
      return c.json(toModelObject(info!, engine.status(), created));
    });
}

function toModelObject(info: ModelInfo, { copies }: EngineStatus, created: number): ModelObject {
  return {
    id: info.id,
    object: "model",
    created,
    owned_by: "tinygpt-v",
    name: info.name,
    level: info.level,
    root: info.adapter === undefined ? info.name : `adapters/${info.adapter}`,
    parent: info.adapter === undefined ? null : splitId(info.id).model,
    weights: info.weights,
    file_bytes: info.fileBytes,
    memory_bytes: info.memoryBytes,
    context_length: info.contextLength,
    image_size: info.imageSize,
    input_modalities: ["text", "image"],
    output_modalities: ["text"],
    loaded: info.loaded,
    execution_provider: info.executionProvider ?? null,
    execution: info.execution ?? null,
    integer_weights: info.integerWeights ?? null,
    copies: copies[splitId(info.id).model] ?? null,
  };
}
