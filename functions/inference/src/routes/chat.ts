import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { answerOf } from "@tinygptv/protocol";
import {
  chatChunkSchema,
  chatRequestSchema,
  chatResponseSchema,
  fromChatRequest,
  refusedFields,
  toChatResponse,
} from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { streamChat } from "../chat/stream.ts";
import { generate } from "../generate.ts";
import { logQuestion } from "../logQuestion.ts";
import type { AppEnv, Services } from "../services.ts";
import { streamEvents } from "../sse.ts";
import { validate } from "../validate.ts";
import { documented, events, json, jsonBody } from "./describe.ts";

const description = documented({
  summary: "Answer a conversation about pictures",
  description:
    "OpenAI's chat completions with extensions. With `stream` the answer comes as chunks; with beams the " +
    "current hypotheses come as `tinygptv.beams` events and the final text as one delta at the end.",
  requestBody: jsonBody(chatRequestSchema),
  responses: {
    200: {
      description: "The answer, or with `stream` its chunks",
      content: { ...json(chatResponseSchema), ...events(chatChunkSchema) },
    },
  },
});

/** `POST /v1/chat/completions` */
export function chatRoutes(services: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/chat/completions", description, services.admit, async (c) => {
    const life = c.get("life");
    const body = validate(chatRequestSchema, await readJson(c, services), refusedFields);
    const plan = fromChatRequest(body);
    const { requests, nameOf } = plan;
    const model = await services.models.idOf(body.model);
    logQuestion(c, services.config, model, requests[0]!.rounds);
    const images = await services.pictures(plan.pictures, c.var);
    c.get("prepared")();
    const runs = requests.map((request) =>
      generate(services, { model, client: c.get("caller"), request, images, nameOf }, life),
    );
    const identity = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model,
    };
    if (body.stream === true) return streamEvents(c, streamChat(runs, plan, identity));
    return c.json(toChatResponse(await Promise.all(runs.map(answerOf)), plan, identity));
  });
}
