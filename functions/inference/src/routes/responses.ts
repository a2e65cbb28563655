import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { answerOf } from "@tinygptv/protocol";
import type { GenerateEvent } from "@tinygptv/protocol";
import {
  createResponseStreamWriter,
  fromResponseRequest,
  refusedResponseFields,
  responseEventSchema,
  responseRequestSchema,
  responseSchema,
  toResponse,
} from "@tinygptv/protocol/http";
import type { SseEvent } from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { generate } from "../generate.ts";
import { logQuestion } from "../logQuestion.ts";
import type { AppEnv, Services } from "../services.ts";
import { streamEvents } from "../sse.ts";
import { validate } from "../validate.ts";
import { documented, events, json, jsonBody } from "./describe.ts";

const description = documented({
  summary: "Answer, in the words of OpenAI's Responses API",
  description:
    "The same answers as of chat completions. Nothing is stored: a conversation comes as a whole with each request.",
  requestBody: jsonBody(responseRequestSchema),
  responses: {
    200: {
      description: "The answer, or with `stream` its events",
      content: { ...json(responseSchema), ...events(responseEventSchema) },
    },
  },
});

/** `POST /v1/responses` */
export function responseRoutes(services: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/responses", description, services.admit, async (c) => {
    const life = c.get("life");
    const body = validate(
      responseRequestSchema,
      await readJson(c, services),
      refusedResponseFields,
    );
    const plan = fromResponseRequest(body);
    const { nameOf } = plan;
    const request = plan.requests[0]!;
    const model = await services.models.idOf(body.model);
    logQuestion(c, services.config, model, request.rounds);
    const images = await services.pictures(plan.pictures, c.var);
    c.get("prepared")();
    const asked = { model, client: c.get("caller"), request, images, nameOf };
    const run = generate(services, asked, life);
    const identity = {
      id: `resp_${randomUUID().replaceAll("-", "")}`,
      created: Math.floor(Date.now() / 1000),
      model,
    };
    const context = { body, plan, identity };
    if (body.stream !== true) return c.json(toResponse(await answerOf(run), context));
    const writer = createResponseStreamWriter(context);
    return streamEvents(c, written(run, writer.write), writer.failed);
  });
}

async function* written(
  run: AsyncIterable<GenerateEvent>,
  write: (event: GenerateEvent) => SseEvent[],
): AsyncGenerator<SseEvent> {
  for await (const event of run) yield* write(event);
}
