import { Hono } from "hono";
import type { Context } from "hono";
import {
  deletedSchema,
  fineTuningCheckpointListSchema,
  fineTuningEstimateSchema,
  fineTuningEventListSchema,
  fineTuningEventSchema,
  fineTuningJobListSchema,
  fineTuningJobSchema,
  fineTuningRequestSchema,
} from "@tinygptv/protocol/http";
import type { Deleted, FineTuningEvent, SseEvent } from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { HttpError } from "../errors.ts";
import type { AppEnv, Services } from "../services.ts";
import { streamEvents } from "../sse.ts";
import type { TrainingCall, Trainings } from "../training/trainings.ts";
import { validate } from "../validate.ts";
import { documented, events, json, jsonBody } from "./describe.ts";

const jobAnswer = (description: string) => ({
  200: { description, content: json(fineTuningJobSchema) },
});
const create = documented({
  summary: "Fine-tune a model",
  description:
    "Checks the rows, then trains LoRA, norms and the mapping over a level, in a process of its own, one training at " +
    "a time. It outlives the request and the server. What comes of it is an adapter beside the model, which can be " +
    "asked at once. Refused (403 `training_not_allowed`) unless the server allows it: `TINYGPTV_TRAINING`.",
  requestBody: jsonBody(fineTuningRequestSchema),
  responses: jobAnswer("The job"),
});
const estimate = documented({
  summary: "What a fine-tuning would take",
  description: "Runs its first two steps and keeps nothing.",
  requestBody: jsonBody(fineTuningRequestSchema),
  responses: { 200: { description: "Its cost", content: json(fineTuningEstimateSchema) } },
});
const listAll = documented({
  summary: "Trainings, the newest first",
  responses: { 200: { description: "The jobs", content: json(fineTuningJobListSchema) } },
});
const getOne = documented({
  missing: true,
  summary: "One training",
  responses: jobAnswer("The job"),
});
const cancel = documented({
  missing: true,
  summary: "Stop a training",
  description: "What was saved stays: it can be resumed.",
  responses: jobAnswer("The job"),
});
const resume = documented({
  missing: true,
  summary: "Go on with a training",
  description: "One that was cancelled or has failed, after the step that was saved last.",
  responses: jobAnswer("The job"),
});
const remove = documented({
  missing: true,
  summary: "Forget a training",
  description:
    "One that does not run: its rows and saved states. The adapter stays beside its model.",
  responses: { 200: { description: "It is gone", content: json(deletedSchema) } },
});
const happened = documented({
  missing: true,
  summary: "What happened in a training",
  description:
    "The newest first; with `stream=true` in their order, as server-sent events, and what happens from then on. A " +
    "stream ends with the training (`data: [DONE]`), or when the server's time for an answer is over: ask again " +
    "with `after`.",
  responses: {
    200: {
      description: "Events",
      content: { ...json(fineTuningEventListSchema), ...events(fineTuningEventSchema) },
    },
  },
});
const checkpoints = documented({
  missing: true,
  summary: "States that a training can go on from",
  responses: {
    200: { description: "The states", content: json(fineTuningCheckpointListSchema) },
  },
});

/** `/v1/fine_tuning/…` */
export function fineTuningRoutes(services: Services): Hono<AppEnv> {
  const allowed = (): Trainings => {
    if (services.trainings) return services.trainings;
    throw new HttpError(
      "training_not_allowed",
      "training is not allowed here: who runs the server allows it with --allow-training, or names a folder for it in TINYGPTV_TRAINING",
    );
  };
  const asked = async (c: Context<AppEnv>) => {
    const trainings = allowed();
    const request = validate(fineTuningRequestSchema, await readJson(c, services));
    const model = await services.models.idOf(request.model, "model");
    const call: TrainingCall = { asker: c.var, load: services.pictures, model };
    return { trainings, request, call };
  };

  return new Hono<AppEnv>()
    .post("/v1/fine_tuning/jobs", create, async (c) => {
      const { trainings, request, call } = await asked(c);
      return c.json(await trainings.create(request, call));
    })
    .post("/v1/fine_tuning/estimates", estimate, async (c) => {
      const { trainings, request, call } = await asked(c);
      return c.json(await trainings.estimate(request, call));
    })
    .get("/v1/fine_tuning/jobs", listAll, (c) => c.json(page(c, allowed().list(c.get("tenant")))))
    .get("/v1/fine_tuning/jobs/:id", getOne, (c) =>
      c.json(allowed().get(c.get("tenant"), c.req.param("id"))),
    )
    .post("/v1/fine_tuning/jobs/:id/cancel", cancel, async (c) =>
      c.json(await allowed().cancel(c.get("tenant"), c.req.param("id"))),
    )
    .post("/v1/fine_tuning/jobs/:id/resume", resume, async (c) =>
      c.json(await allowed().resume(c.get("tenant"), c.req.param("id"))),
    )
    .delete("/v1/fine_tuning/jobs/:id", remove, async (c) => {
      const id = c.req.param("id");
      await allowed().remove(c.get("tenant"), id);
      const answer: Deleted = { id, object: "fine_tuning.job", deleted: true };
      return c.json(answer);
    })
    .get("/v1/fine_tuning/jobs/:id/events", happened, async (c) => {
      const trainings = allowed();
      const [tenant, id] = [c.get("tenant"), c.req.param("id")];
      if (c.req.query("stream") !== "true")
        return c.json(page(c, trainings.events(tenant, id).toReversed()));
      const after = Number(/^ftevent-(\d+)$/.exec(c.req.query("after") ?? "")?.[1] ?? 0);
      const { signal } = c.get("life");
      return streamEvents(c, encoded(trainings.follow(tenant, id, after, signal)));
    })
    .get("/v1/fine_tuning/jobs/:id/checkpoints", checkpoints, (c) =>
      c.json(page(c, allowed().checkpoints(c.get("tenant"), c.req.param("id")))),
    );
}

async function* encoded(happening: AsyncIterable<FineTuningEvent>): AsyncGenerator<SseEvent> {
  for await (const event of happening) yield { data: JSON.stringify(event) };
  yield { data: "[DONE]" };
}

/** As OpenAI's clients go through lists: `limit` of them, those after the one of id `after`. */
function page<Item extends { readonly id: string }>(c: Context<AppEnv>, all: readonly Item[]) {
  const limit = Number(c.req.query("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new HttpError("invalid_value", `limit: want 1 to 1000, got ${c.req.query("limit")}`, {
      param: "limit",
    });
  const after = c.req.query("after");
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const data = all.slice(from, from + limit);
  return { object: "list" as const, data, has_more: from + data.length < all.length };
}
