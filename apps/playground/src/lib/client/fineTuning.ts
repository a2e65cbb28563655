import {
  fineTuningEstimateSchema,
  fineTuningEventSchema,
  fineTuningJobSchema,
} from "@tinygptv/protocol/http";
import type {
  FineTuningEstimate,
  FineTuningEvent,
  FineTuningJob,
  FineTuningRequest,
} from "@tinygptv/protocol/http";
import { withHandles } from "./engine.ts";
import { eventData } from "./eventData.ts";
import { endpointFetch, type Endpoint } from "./http.ts";

/** A question and the answer that is learnt. */
export interface ExampleRow {
  readonly picture: Uint8Array | undefined;
  readonly prompt: string;
  readonly task?: string | undefined;
  readonly answer: string;
}

/** What is learnt, kept aside and not to be forgotten. */
export interface ExampleRows {
  readonly training: readonly ExampleRow[];
  readonly validation: readonly ExampleRow[];
  readonly replay: readonly ExampleRow[];
}

type Settings = Omit<
  FineTuningRequest,
  "training_data" | "validation_data" | "replay_data" | "regime"
> & { regime: FineTuningRequest["regime"] };

const root = "/v1/fine_tuning";

/** Fine-tuning at an endpoint. @throws TinyGptvError of each call, as all calls do */
export function fineTuning(endpoint: Endpoint) {
  const fetchApi = endpointFetch(endpoint);
  const post = withHandles(fetchApi);

  const send = (path: string, settings: Settings, rows: ExampleRows, signal: AbortSignal) => {
    const all = [...rows.training, ...rows.validation, ...rows.replay];
    const pictures = all.flatMap(({ picture }) => (picture === undefined ? [] : [picture]));
    return post(
      root + path,
      pictures,
      (handles) => {
        let next = 0;
        const written = (list: readonly ExampleRow[]) =>
          list.map(({ picture, ...row }) => ({
            ...(picture !== undefined && { image: handles[next++] }),
            ...row,
          }));
        const [training, validation, replay] = [rows.training, rows.validation, rows.replay].map(
          written,
        );
        return {
          ...settings,
          training_data: training,
          ...(rows.validation.length > 0 && { validation_data: validation }),
          ...(rows.replay.length > 0 && { replay_data: replay }),
        };
      },
      signal,
    );
  };
  const job = async (response: Promise<Response>): Promise<FineTuningJob> =>
    fineTuningJobSchema.parse(await (await response).json());
  const at = (id: string) => `${root}/jobs/${encodeURIComponent(id)}`;

  return {
    async estimate(
      settings: Settings,
      rows: ExampleRows,
      signal: AbortSignal,
    ): Promise<FineTuningEstimate> {
      const response = await send("/estimates", settings, rows, signal);
      return fineTuningEstimateSchema.parse(await response.json());
    },
    create: (settings: Settings, rows: ExampleRows, signal: AbortSignal) =>
      job(send("/jobs", settings, rows, signal)),
    job: (id: string, signal: AbortSignal) => job(fetchApi(at(id), { signal })),
    stop: (id: string) => job(fetchApi(`${at(id)}/cancel`, { method: "POST" })),
    goOn: (id: string) => job(fetchApi(`${at(id)}/resume`, { method: "POST" })),
    /** What happened after an event and happens from now on. */
    async *follow(id: string, after: string, signal: AbortSignal): AsyncGenerator<FineTuningEvent> {
      const response = await fetchApi(`${at(id)}/events?stream=true&after=${after}`, { signal });
      for await (const data of eventData(response, signal))
        yield fineTuningEventSchema.parse(JSON.parse(data));
    },
  };
}
