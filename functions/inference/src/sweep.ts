import type { Logger } from "pino";
import type { Holding, Holdings } from "./holdings.ts";
import { isConflict } from "./store/store.ts";

interface Forgetting {
  forget(holding: Holding): Promise<void>;
}

export interface SweepOptions {
  readonly holdings: Holdings;
  readonly pictures: Forgetting;
  readonly notebooks: Forgetting;
  readonly log: Logger;
}

/** Between sweeps; what is over is not answered any more, it only takes room until then. */
const everyMs = 60 * 60 * 1000;

/**
 * Removes what is over from the store, in the background. To be called whenever
 * something is written, since a server without timers (a function) has no other
 * moment; it does something once an hour.
 */
export function createSweep({ holdings, pictures, notebooks, log }: SweepOptions): () => void {
  let last = -Infinity;
  const sweep = async () => {
    for await (const { etag, ...holding } of holdings.expired()) {
      // Kept anew meanwhile: then it stays.
      const gone = await holdings.remove(holding, { ifMatch: etag }).then(
        () => true,
        (error: unknown) => {
          if (isConflict(error)) return false;
          throw error;
        },
      );
      if (gone) await (holding.id.startsWith("img_") ? pictures : notebooks).forget(holding);
    }
  };
  return () => {
    if (performance.now() - last < everyMs) return;
    last = performance.now();
    sweep().catch((error: unknown) => log.error({ err: error }, "sweeping the store failed"));
  };
}
