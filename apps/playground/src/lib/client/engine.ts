import { contentHash } from "@tinygptv/notebook";
import type { NotebookEngine } from "@tinygptv/notebook";
import { TinyGptvError, splitId } from "@tinygptv/protocol";
import type { ModelInfo } from "@tinygptv/protocol";
import {
  chatChunkSchema,
  createChatStreamReader,
  fromScoreResponse,
  imageObjectSchema,
  modelListSchema,
  preprocessResponseSchema,
  scoreHttpResponseSchema,
  toChatRequest,
  toScoreRequest,
} from "@tinygptv/protocol/http";
import type { ChatChunk, ModelObject, PreprocessResponse } from "@tinygptv/protocol/http";
import { apiError, codeOf, endpointFetch, postJson, type Endpoint, type Fetch } from "./http.ts";
import { eventData } from "./eventData.ts";

/** A picture as the model sees it. */
export type ModelView = Pick<
  PreprocessResponse,
  "width" | "height" | "size" | "tensor_sha256" | "preview"
>;

/** What the page asks of an engine, wherever it runs. */
export interface PlaygroundEngine extends NotebookEngine {
  models(): Promise<ModelInfo[]>;
  /** What the model sees of a picture. */
  preprocess(
    picture: Uint8Array,
    mode: "display" | "reference" | undefined,
    model: string | undefined,
  ): Promise<ModelView>;
}

/** An engine behind an endpoint. Pictures are uploaded once and named by their handle. */
export function httpEngine(endpoint: Endpoint): PlaygroundEngine {
  const fetchApi = endpointFetch(endpoint);
  const post = withHandles(fetchApi);

  return {
    async models() {
      return modelListSchema
        .parse(await (await fetchApi("/v1/models")).json())
        .data.map(toModelInfo);
    },
    async *generate(request, pictures, { model, signal } = {}) {
      const response = await post(
        "/v1/chat/completions",
        pictures,
        (handles) => toChatRequest(request, handles, model),
        signal,
      );
      const reader = createChatStreamReader(request.decoding);
      for await (const chunk of chunksOf(response, signal)) yield* reader.read(chunk);
      yield* reader.end();
    },
    async score(request, pictures, { model, signal } = {}) {
      const response = await post(
        "/v1/score",
        pictures,
        (handles) => toScoreRequest(request, handles, model),
        signal,
      );
      return fromScoreResponse(scoreHttpResponseSchema.parse(await response.json()));
    },
    async preprocess(picture, mode, model) {
      const body = ([image]: readonly string[]) => ({
        image,
        ...(mode && { image_mode: mode }),
        ...(model !== undefined && { model }),
      });
      return preprocessResponseSchema.parse(
        await (await post("/v1/preprocess", [picture], body)).json(),
      );
    },
  };
}

const toModelInfo = (model: ModelObject): ModelInfo => ({
  id: model.id,
  name: model.name,
  level: model.level,
  adapter: splitId(model.id).adapter,
  weights: model.weights,
  fileBytes: model.file_bytes,
  memoryBytes: model.memory_bytes,
  contextLength: model.context_length,
  imageSize: model.image_size,
  loaded: model.loaded,
  executionProvider: model.execution_provider ?? undefined,
  execution: model.execution ?? undefined,
  integerWeights: model.integer_weights ?? undefined,
});

async function* chunksOf(
  response: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatChunk> {
  for await (const data of eventData(response, signal)) {
    const body: unknown = JSON.parse(data);
    const chunk = chatChunkSchema.safeParse(body);
    if (!chunk.success) throw apiError(body, 500);
    yield chunk.data;
  }
}

export type PostWithHandles = (
  path: string,
  pictures: readonly Uint8Array[],
  body: (handles: readonly string[]) => unknown,
  signal?: AbortSignal,
) => Promise<Response>;

/**
 * Posts JSON in which pictures are named by handles. Each picture is uploaded
 * once; an endpoint that no longer has one (restarted, another instance) is
 * given it again.
 */
export function withHandles(fetchApi: Fetch): PostWithHandles {
  const uploaded = new Map<string, Promise<string>>();
  const handles = (pictures: readonly Uint8Array[]): Promise<string[]> =>
    Promise.all(pictures.map((picture) => upload(fetchApi, uploaded, picture)));
  return async (path, pictures, body, signal) => {
    try {
      return await postJson(fetchApi, path, body(await handles(pictures)), signal);
    } catch (error) {
      if (codeOf(error) !== "image_not_found") throw error;
      for (const picture of pictures) uploaded.delete(contentHash(picture));
      return postJson(fetchApi, path, body(await handles(pictures)), signal);
    }
  };
}

function upload(
  fetchApi: Fetch,
  uploaded: Map<string, Promise<string>>,
  picture: Uint8Array,
): Promise<string> {
  const hash = contentHash(picture);
  const known = uploaded.get(hash);
  if (known !== undefined) return known;
  const handle = fetchApi("/v1/images", {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: new Blob([Uint8Array.from(picture)]),
  })
    .then((response) => response.json())
    .then((body) => imageObjectSchema.parse(body).id);
  // A failed upload must not be remembered as the picture's handle.
  handle.catch(() => uploaded.delete(hash));
  uploaded.set(hash, handle);
  return handle;
}

export const isAborted = (error: unknown): boolean =>
  error instanceof TinyGptvError && error.code === "aborted";
