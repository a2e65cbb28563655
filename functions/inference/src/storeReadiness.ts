import type { Ready } from "@tinygptv/protocol/http";
import type { Services } from "./services.ts";

/** Milliseconds for which an answer of the store is believed, and those it may take: a dead mount answers never. */
const believedMs = 5_000;
const probeMs = 5_000;

/** Whether the store can be written; asked now and then, however often this is. */
export function createStoreReadiness({
  store,
  log,
}: Pick<Services, "store" | "log">): () => Promise<Ready> {
  let known: { at: number; ready: Promise<Ready> } | undefined;

  const probe = async (): Promise<Ready> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer in ${probeMs} ms`)), probeMs);
    try {
      await Promise.race([store.check({ signal: AbortSignal.timeout(probeMs) }), late.promise]);
      return { ready: true };
    } catch (error) {
      log.error({ err: error }, "the store cannot be written");
      return { ready: false, reason: "the store cannot be written" };
    } finally {
      clearTimeout(timer);
    }
  };

  return () => {
    if (!known || performance.now() - known.at > believedMs)
      known = { at: performance.now(), ready: probe() };
    return known.ready;
  };
}
