import { Hono } from "hono";
import {
  compareEventSchema,
  compareRequestSchema,
  fromCompareRequest,
} from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { streamCompare } from "../compare/stream.ts";
import { logQuestion } from "../logQuestion.ts";
import type { AppEnv, Services } from "../services.ts";
import { streamEvents } from "../sse.ts";
import { validate } from "../validate.ts";
import { documented, events, jsonBody } from "./describe.ts";

const description = documented({
  summary: "Put one prompt before several levels and parameter sets",
  description:
    "All answers come in one stream of server-sent events, interleaved, each tagged with its run. The event's " +
    "name is its `type`; `data: [DONE]` ends the stream.",
  requestBody: jsonBody(compareRequestSchema),
  responses: { 200: { description: "Events of all answers", content: events(compareEventSchema) } },
});

/** `POST /v1/compare` */
export function compareRoutes(services: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/compare", description, services.admit, async (c) => {
    const life = c.get("life");
    const body = validate(compareRequestSchema, await readJson(c, services));
    const { requests, pictures, nameOf } = fromCompareRequest(body);
    const models = await Promise.all(
      body.models.map((model, index) => services.models.idOf(model, `models[${index}]`)),
    );
    logQuestion(c, services.config, models, requests[0]!.rounds);
    const images = await services.pictures(pictures, c.var);
    c.get("prepared")();
    const client = c.get("caller");
    const comparison = { models, requests, images, nameOf, client };
    return streamEvents(c, streamCompare(services, comparison, life));
  });
}
