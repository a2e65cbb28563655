import { Hono } from "hono";
import {
  detokenizeRequestSchema,
  detokenizeResponseSchema,
  tokenizeRequestSchema,
  tokenizeResponseSchema,
} from "@tinygptv/protocol/http";
import type { DetokenizeResponse, TokenizeResponse } from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import type { AppEnv, Services } from "../services.ts";
import { validate } from "../validate.ts";
import { documented, json, jsonBody } from "./describe.ts";

const tokenize = documented({
  summary: "Text to tokens",
  requestBody: jsonBody(tokenizeRequestSchema),
  responses: { 200: { description: "The tokens", content: json(tokenizeResponseSchema) } },
});
const detokenize = documented({
  summary: "Tokens to text",
  requestBody: jsonBody(detokenizeRequestSchema),
  responses: { 200: { description: "The text", content: json(detokenizeResponseSchema) } },
});

/** `POST /v1/tokenize`, `POST /v1/detokenize` */
export function tokenRoutes(services: Services): Hono<AppEnv> {
  const { engine, models } = services;
  return new Hono<AppEnv>()
    .post("/v1/tokenize", tokenize, async (c) => {
      const { signal } = c.get("life");
      const body = validate(tokenizeRequestSchema, await readJson(c, services));
      const model = await models.idOf(body.model);
      const tokens = await engine.tokenize(body.text, { model, client: c.get("caller"), signal });
      const answer: TokenizeResponse = { object: "tokens", model, tokens };
      return c.json(answer);
    })
    .post("/v1/detokenize", detokenize, async (c) => {
      const { signal } = c.get("life");
      const body = validate(detokenizeRequestSchema, await readJson(c, services));
      const model = await models.idOf(body.model);
      const text = await engine.detokenize(body.ids, { model, client: c.get("caller"), signal });
      const answer: DetokenizeResponse = { object: "text", model, text };
      return c.json(answer);
    });
}
