import type { Engine, GenerateEvent, GenerateRequest, NameOf } from "@tinygptv/protocol";
import type { Lifetime } from "./lifetime.ts";
import type { Metrics } from "./metrics.ts";

/** One generation to be done. */
export interface Run {
  /** Full id. */
  readonly model: string;
  readonly request: GenerateRequest;
  readonly images: readonly Uint8Array[];
  /** What the caller calls the things that errors name. */
  readonly nameOf: NameOf;
  /** Who asks; callers take turns. */
  readonly client: string;
}

/**
 * The engine's events of one generation, measured.
 * @throws HttpError
 */
export async function* generate(
  { engine, metrics }: { engine: Engine; metrics: Metrics },
  { model, client, request, images, nameOf }: Run,
  life: Pick<Lifetime, "signal" | "explain">,
): AsyncGenerator<GenerateEvent> {
  const began = performance.now();
  let answering = false;
  try {
    for await (const event of engine.generate(request, images, {
      model,
      client,
      signal: life.signal,
    })) {
      if (!answering && event.type !== "start") {
        answering = true;
        metrics.firstToken(model, (performance.now() - began) / 1000);
      }
      if (event.type === "end")
        metrics.answer(model, event.usage.completionTokens, event.timings.decode / 1000);
      yield event;
    }
  } catch (error) {
    throw life.explain(error, nameOf);
  }
}
