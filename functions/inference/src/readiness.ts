import { setTimeout } from "node:timers/promises";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Engine } from "@tinygptv/protocol";
import type { Ready } from "@tinygptv/protocol/http";

/** Milliseconds a probe may take: long enough to load a model from disk. */
const probeMs = 120_000;

/** Milliseconds a caller waits for a probe: a small model is loaded within, and no checker has given up yet. */
const patienceMs = 3_000;

/**
 * Whether a model answers. It is asked for one token, once per life of the
 * engine process; afterwards the process' own state is believed. Probes that
 * come while one runs share it; none waits for it longer than `patience`.
 */
export function createReadiness(engine: Engine, patience = patienceMs): () => Promise<Ready> {
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

  async function withinPatience(answer: Promise<Ready>): Promise<Ready> {
    const given = new AbortController();
    const soon: Ready = { ready: false, reason: "the model has not answered yet" };
    const late = setTimeout(patience, soon, { signal: given.signal });
    late.catch(() => {}); // given up, since the answer is there
    return Promise.race([answer, late]).finally(() => given.abort());
  }

  return async () => {
    const { state, restarts } = engine.status();
    if (state !== "ready") return { ready: false, reason: `the engine is ${state}` };
    if (answered === restarts) return { ready: true };
    probing ??= probe().finally(() => (probing = undefined));
    return withinPatience(probing);
  };
}
