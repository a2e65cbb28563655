import type { AnswerToken, GenerateRequest } from "@tinygptv/protocol";
import type { CompareEvent } from "@tinygptv/protocol/http";
import { toFinished, toHypothesis, toImages, toLogprobs, toUsage } from "../chat/answer.ts";
import type { StartEvent } from "../chat/answer.ts";
import { generate } from "../generate.ts";
import { interleave } from "../interleave.ts";
import type { Lifetime } from "../lifetime.ts";
import type { Services } from "../services.ts";
import type { SseEvent } from "../sse.ts";

export interface Comparison {
  /** Full ids. */
  models: readonly string[];
  /** One per parameter set. */
  requests: readonly GenerateRequest[];
  images: readonly Uint8Array[];
}

/** Which answer an event belongs to. */
interface Tag {
  run: number;
  model: string;
  parameter_set: number;
}

/** Every model's answer under every parameter set; sets in order, and within a set the models in order. */
export async function* streamCompare(
  services: Services,
  { models, requests, images }: Comparison,
  life: Lifetime,
): AsyncGenerator<SseEvent> {
  const runs = requests.flatMap((request, set) =>
    models.map((model, index) => {
      const tag = { run: set * models.length + index, model, parameter_set: set };
      return answer(services, { model, request, images }, tag, life);
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
  tag: Tag,
  life: Lifetime,
): AsyncGenerator<CompareEvent> {
  const logprobs = run.request.decoding?.logprobs ?? false;
  const tokens = (some: readonly AnswerToken[]) => (logprobs ? toLogprobs(some) : null);
  let start: StartEvent | undefined;
  let unsent: AnswerToken[] = [];
  try {
    for await (const event of generate(services, run, life)) {
      switch (event.type) {
        case "start":
          start = event;
          yield { type: "start", ...tag, prompt: event.promptText, images: toImages(event.images) };
          break;
        case "token":
          unsent.push(event.token);
          break;
        case "delta":
          yield { type: "delta", ...tag, text: event.text, logprobs: tokens(unsent) };
          unsent = [];
          break;
        case "beams":
          yield { type: "beams", ...tag, hypotheses: event.hypotheses };
          break;
        case "end": {
          const [best] = event.hypotheses;
          const { images } = start!;
          const { score, ...finished } = toFinished(best!, images, event);
          yield {
            type: "end",
            ...tag,
            text: best!.text,
            logprobs: tokens(best!.tokens),
            ...finished,
            ...(score === undefined
              ? {}
              : { hypotheses: event.hypotheses.map((one) => toHypothesis(one, logprobs)) }),
            usage: toUsage(images, [event]),
          };
        }
      }
    }
  } catch (error) {
    // What ends the whole comparison is not this run's to report.
    if (life.signal.aborted) throw error;
    yield { type: "error", ...tag, error: life.explain(error).body.error };
  }
}
