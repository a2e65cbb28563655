import type { GenerateRequest, NameOf } from "@tinygptv/protocol";
import { createCompareWriter } from "@tinygptv/protocol/http";
import type { CompareEvent, CompareTag, SseEvent } from "@tinygptv/protocol/http";
import { generate } from "../generate.ts";
import { interleave } from "../interleave.ts";
import type { Lifetime } from "../lifetime.ts";
import type { Services } from "../services.ts";

export interface Comparison {
  /** Full ids. */
  models: readonly string[];
  /** One per parameter set. */
  requests: readonly GenerateRequest[];
  images: readonly Uint8Array[];
  /** What the caller calls the things that errors name. */
  nameOf: NameOf;
  /** Who asks; callers take turns. */
  client: string;
}

/** Every model's answer under every parameter set; sets in order, and within a set the models in order. */
export async function* streamCompare(
  services: Services,
  { models, requests, images, nameOf, client }: Comparison,
  life: Lifetime,
): AsyncGenerator<SseEvent> {
  const runs = requests.flatMap((request, set) =>
    models.map((model, index) => {
      const tag = { run: set * models.length + index, model, parameter_set: set };
      return answer(services, { model, client, request, images, nameOf }, tag, life);
    }),
  );
  for await (const { item } of interleave(runs, services.config.limits.compareConcurrency))
    yield { event: item.type, data: JSON.stringify(item) };
  yield { data: "[DONE]" };
}

/** One answer's events; an error is one of them, so that the others go on. */
async function* answer(
  services: Services,
  run: Parameters<typeof generate>[1],
  tag: CompareTag,
  life: Lifetime,
): AsyncGenerator<CompareEvent> {
  const write = createCompareWriter(tag, run.request.decoding?.logprobs ?? false);
  try {
    for await (const event of generate(services, run, life)) yield* write(event);
  } catch (error) {
    // What ends the whole comparison is not this run's to report.
    if (life.signal.aborted) throw error;
    yield { type: "error", ...tag, error: life.explain(error).body.error };
  }
}
