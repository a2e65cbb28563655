import type { CopiesNews, ModelInfo } from "@tinygptv/protocol";
import { copiesOf, prepack } from "./graphCopies.ts";

/**
 * Makes the copies that loaded models are missing, in the background and one
 * model at a time, for the next time each is loaded.
 * @param tell hears what becomes of a model's copies
 */
export function createPrepacker(tell: (news: CopiesNews) => void) {
  const end = new AbortController();
  let line: Promise<void> = Promise.resolve();

  async function work(folder: string, { id: model, level }: ModelInfo): Promise<void> {
    const levels = [level];
    let bytes = 0;
    try {
      const copies = await copiesOf(folder, { levels });
      bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
      if (copies.some(({ state }) => state === "missing")) {
        tell({ model, state: "making", bytes });
        await prepack(folder, { levels, inBackground: true, signal: end.signal });
      }
      tell({ model, state: "ready", bytes });
    } catch (error) {
      const reason = (error as Error).message;
      if (!end.signal.aborted) tell({ model, state: "missing", bytes, reason });
    }
  }

  return {
    add(folder: string, info: ModelInfo): void {
      line = line.then(() => work(folder, info));
    },
    /** Nothing more is made, and what is under way ends. */
    stop: () => end.abort(),
  };
}
