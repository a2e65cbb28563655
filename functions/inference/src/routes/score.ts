import { Hono } from "hono";
import type { CandidateScore } from "@tinygptv/protocol";
import { scoreHttpRequestSchema, scoreHttpResponseSchema } from "@tinygptv/protocol/http";
import type { ScoreHttpResponse } from "@tinygptv/protocol/http";
import { readJson } from "../body/read.ts";
import { toImages, toLogprobs } from "../chat/answer.ts";
import { toQuestion } from "../chat/question.ts";
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
    const { signal } = c.get("life");
    const body = validate(scoreHttpRequestSchema, await readJson(c, services));
    const { question, pictures } = toQuestion(body);
    const model = await services.models.idOf(body.model);
    logQuestion(c, services.config, model, question.rounds);
    const images = await services.pictures(pictures, c.var);
    c.get("prepared")();
    const { candidates, end_symbol: endSymbol, top_logprobs: topLogprobs } = body;
    const request = { ...question, candidates, endSymbol, topLogprobs };
    const result = await services.engine.score(request, images, { model, signal });
    const answer: ScoreHttpResponse = {
      object: "score",
      model,
      candidates: result.candidates.map(toCandidate),
      ranks: result.ranks,
      usage: { images: toImages(result.images) },
    };
    return c.json(answer);
  });
}

function toCandidate({
  text,
  tokens,
  meanLogprob,
}: CandidateScore): ScoreHttpResponse["candidates"][number] {
  return {
    text,
    tokens: toLogprobs(tokens),
    mean_logprob: meanLogprob,
    sum_logprob: tokens.reduce((sum, { logprob = 0 }) => sum + logprob, 0),
  };
}
