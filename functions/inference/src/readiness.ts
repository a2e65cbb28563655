import { TinyGptvError } from "@tinygptv/protocol";
import type { Engine } from "@tinygptv/protocol";
import type { Ready } from "@tinygptv/protocol/http";

/** Milliseconds a probe may take: long enough to load a model from disk. */
const probeMs = 120_000;

/**
 * Whether a model answers. It is asked for one token, once per life of the
 * engine process; afterwards the process' own state is believed. Probes that
 * come while one runs share it.
 */
export function createReadiness(engine: Engine): () => Promise<Ready> {
  let answered: number | undefined;
  let probing: Promise<Ready> | undefined;

  const probe = async (): Promise<Ready> => {
    const { restarts } = engine.status();
    const request = {
      rounds: [{ prompt: "a" }],
      template: "raw",
      decoding: { maxNewTokens: 1 },
    } as const;
    try {
      const events = engine.generate({ ...request, rounds: [...request.rounds] }, [], {
        signal: AbortSignal.timeout(probeMs),
      });
      for await (const _ of events);
    } catch (error) {
      // A full queue is a sign of life: others are being answered.
      if (!(error instanceof TinyGptvError && error.code === "busy"))
        return { ready: false, reason: "the model does not answer" };
    }
    answered = restarts;
    return { ready: true };
  };

  return async () => {
    const { state, restarts } = engine.status();
    if (state !== "ready") return { ready: false, reason: `the engine is ${state}` };
    if (answered === restarts) return { ready: true };
    probing ??= probe().finally(() => (probing = undefined));
    return probing;
  };
}
