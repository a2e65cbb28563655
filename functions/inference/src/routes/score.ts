import { Hono } from "hono";
import {
  fromScoreRequest,
  scoreHttpRequestSchema,
  scoreHttpResponseSchema,
  toScoreResponse,
} from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { logQuestion } from "../logQuestion.ts";
import type { AppEnv, Services } from "../services.ts";
import { validate } from "../validate.ts";
import { documented, json, jsonBody } from "./describe.ts";

const description = documented({
  summary: "How probable given answers are",
  description:
    "Teacher-forced log-probabilities of candidate answers, and their order by the mean over tokens.",
  requestBody: jsonBody(scoreHttpRequestSchema),
  responses: { 200: { description: "The scores", content: json(scoreHttpResponseSchema) } },
});

/** `POST /v1/score` */
export function scoreRoutes(services: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/score", description, services.admit, async (c) => {
    const { signal, explain } = c.get("life");
    const body = validate(scoreHttpRequestSchema, await readJson(c, services));
    const { requests, pictures, nameOf } = fromScoreRequest(body);
    const request = requests[0]!;
    const model = await services.models.idOf(body.model);
    logQuestion(c, services.config, model, request.rounds);
    const images = await services.pictures(pictures, c.var);
    c.get("prepared")();
    const result = await services.engine
      .score(request, images, { model, client: c.get("caller"), signal })
      .catch((error: unknown) => Promise.reject(explain(error, nameOf)));
    return c.json(toScoreResponse(result, model));
  });
}
