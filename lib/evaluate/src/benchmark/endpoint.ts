/** Endpoints as answerers: ours with all it knows, any other of OpenAI's form with what all understand. */
import {
  TinyGptvError,
  sniffFormat,
  type DecodingParams,
  type GenerateRequest,
  adapterId,
  splitId,
} from "@tinygptv/protocol";
import {
  chatResponseSchema,
  fromScoreResponse,
  modelObjectSchema,
  scoreHttpResponseSchema,
  toChatRequest,
  toHttpDecoding,
  toScoreRequest,
  type ModelObject,
} from "@tinygptv/protocol/http";
import OpenAI from "openai";
import { z } from "zod";
import type { Answerer, GivenAnswer } from "./answerer.ts";
import type { RunIdentity } from "./modelIdentity.ts";

/** Where an endpoint is. */
export interface EndpointOptions {
  /** Its address; `/v1` is added where there is no path. */
  url: string;
  /** Which of its models; ours has a default one. */
  model?: string | undefined;
  /** Sent as a bearer token. */
  key?: string | undefined;
}

/** An endpoint that was found, and how it is spoken to. */
export interface Endpoint extends Answerer {
  /** What is known of the model there. */
  readonly identity: RunIdentity;
  /** What one of ours says of it: those take templates, tasks and every decoding parameter, and score. */
  readonly info: ModelObject | undefined;
}

/** Busy and failing endpoints are asked again, each time after twice as long. */
const maxRetries = 8;

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) });

/**
 * Finds out what an endpoint is and which model answers.
 * @throws TinyGptvError "network" where none answers, "parameter" where a model must be named
 */
export async function openEndpoint({ url, model, key }: EndpointOptions): Promise<Endpoint> {
  const client = new OpenAI({ baseURL: baseUrl(url), apiKey: key ?? "none", maxRetries });
  const listed = await asking(url, () => listModels(client));
  const names = listed.map(({ id }) => id).join(", ") || "none that it lists";
  const ours = z.array(modelObjectSchema).min(1).safeParse(listed);
  if (!ours.success) {
    if (model !== undefined) return otherEndpoint(url, client, model);
    throw new TinyGptvError("parameter", `${url}: want the name of a model (${names}), got none`);
  }
  const found = ours.data.find(
    ({ id, name }) => model === undefined || id === model || name === model,
  );
  if (found !== undefined) return ourEndpoint(url, client, found);
  throw new TinyGptvError("model", `${url}: want one of ${names}, got ${model}`);
}

/** Not every endpoint lists its models. */
async function listModels(client: OpenAI): Promise<{ id: string }[]> {
  try {
    return listSchema.parse(await client.get("/models")).data;
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) return [];
    throw error;
  }
}

function baseUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new TinyGptvError("parameter", `url: want an http(s) address, got ${url}`, {
      subject: "url",
    });
  const { origin, pathname } = new URL(url);
  return pathname === "/" ? `${origin}/v1` : `${origin}${pathname.replace(/\/+$/, "")}`;
}

/** `nano`, or `nano+greetings`. */
function withoutLevel({ id, name }: ModelObject): string {
  const { adapter } = splitId(id);
  return adapter === undefined ? name : adapterId(name, adapter);
}

function ourEndpoint(url: string, client: OpenAI, info: ModelObject): Endpoint {
  return {
    identity: {
      model: { name: withoutLevel(info), level: info.level, weights: info.weights, url },
      versions: {},
    },
    info,
    async answer(request, pictures, signal) {
      const { stream_options: _, ...body } = toChatRequest(request, pictures.map(dataUrl), info.id);
      const answer = await asking(url, () =>
        client.post("/chat/completions", { body: { ...body, stream: false }, signal }),
      );
      const { choices } = chatResponseSchema.parse(answer);
      return { text: choices[0]!.message.content, finishReason: choices[0]!.finish_reason };
    },
    async score(request, pictures, signal) {
      const body = toScoreRequest(request, pictures.map(dataUrl), info.id);
      const answer = await asking(url, () => client.post("/score", { body, signal }));
      const { candidates } = fromScoreResponse(scoreHttpResponseSchema.parse(answer));
      return candidates.map(({ meanLogprob }) => meanLogprob);
    },
  };
}

/** Parameters that all endpoints of OpenAI's form have. */
const common = ["maxNewTokens", "temperature", "topP", "seed", "stop", "method"] as const;

function otherEndpoint(url: string, client: OpenAI, model: string): Endpoint {
  return {
    identity: { model: { name: model, url }, versions: {} },
    info: undefined,
    async answer(request, pictures, signal): Promise<GivenAnswer> {
      const body = {
        model,
        messages: [messageOf(request, pictures)],
        ...commonDecoding(request.decoding),
      };
      const answer = await asking(url, () => client.chat.completions.create(body, { signal }));
      const choice = answer.choices[0];
      if (choice === undefined)
        throw new TinyGptvError("network", `${url}: want an answer, got none`);
      const { finish_reason: reason } = choice;
      return {
        text: choice.message.content ?? "",
        finishReason: reason === "stop" || reason === "length" ? reason : undefined,
      };
    },
    score() {
      throw new TinyGptvError(
        "parameter",
        `${url}: want an endpoint that scores given answers (POST /v1/score), got one of OpenAI's form`,
      );
    },
  };
}

/** The question without the reference's task tag and template, which are no words of other models. */
function messageOf({ rounds }: GenerateRequest, pictures: readonly Uint8Array[]) {
  return {
    role: "user" as const,
    content: [
      ...pictures.map((picture) => ({
        type: "image_url" as const,
        image_url: { url: dataUrl(picture) },
      })),
      { type: "text" as const, text: rounds[0]!.prompt },
    ],
  };
}

/** @throws TinyGptvError "parameter" for one that only ours has */
function commonDecoding(decoding: DecodingParams = {}) {
  const stranger = Object.keys(decoding).find((name) => !common.some((one) => one === name));
  if (stranger !== undefined)
    throw new TinyGptvError(
      "parameter",
      `${stranger}: want one of ${common.join(", ")} for an endpoint of OpenAI's form, got it`,
      { subject: stranger },
    );
  const { max_tokens, temperature = 0, top_p, seed, stop } = toHttpDecoding(decoding);
  return {
    temperature,
    ...(max_tokens !== undefined && { max_tokens }),
    ...(top_p !== undefined && { top_p }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && stop !== null && { stop }),
  };
}

function dataUrl(picture: Uint8Array): string {
  const type = sniffFormat(picture)?.type ?? "application/octet-stream";
  return `data:${type};base64,${Buffer.from(picture).toString("base64")}`;
}

/** @throws TinyGptvError "aborted", "network", or "engine" with what the endpoint said */
async function asking<T>(url: string, ask: () => PromiseLike<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof OpenAI.APIUserAbortError)
      throw new TinyGptvError("aborted", "aborted by the caller", { cause });
    if (cause instanceof OpenAI.APIConnectionError)
      throw new TinyGptvError("network", `${url} does not answer: ${cause.message}`, { cause });
    if (cause instanceof OpenAI.APIError)
      throw new TinyGptvError("engine", `${url}: ${cause.message}`, { cause });
    if (cause instanceof z.ZodError)
      throw new TinyGptvError(
        "network",
        `${url}: want OpenAI's form, got ${z.prettifyError(cause)}`,
        { cause },
      );
    throw cause;
  }
}
