import type { GenerateEvent } from "@tinygptv/protocol";

/** Between a producer that never waits and a consumer that may be slow. */
export interface EventQueue extends AsyncIterable<GenerateEvent> {
  push(event: GenerateEvent): void;
  end(): void;
  /** What is queued is dropped: the consumer hears of the error at its next step. */
  fail(error: unknown): void;
}

/**
 * Unread events, bounded by the length of the answer however long nobody reads:
 * of unread deltas only their sum is kept, of unread beams only the latest.
 * So a slow reader never holds up the batch it is in.
 */
export function createEventQueue(): EventQueue {
  const events: GenerateEvent[] = [];
  let outcome: { error?: unknown } | undefined;
  let wake: (() => void) | undefined;

  /** Joins an event with an unread one of its kind; the joined one goes last, after the tokens it shows. */
  function merge(event: GenerateEvent): GenerateEvent {
    if (event.type !== "delta" && event.type !== "beams") return event;
    const place = events.findLastIndex((unread) => unread.type === event.type);
    const [unread] = place < 0 ? [] : events.splice(place, 1);
    if (event.type === "delta" && unread?.type === "delta") {
      return { type: "delta", text: unread.text + event.text };
    }
    return event;
  }

  return {
    push(event) {
      if (outcome) return;
      events.push(merge(event));
      wake?.();
    },
    end() {
      outcome ??= {};
      wake?.();
    },
    fail(error) {
      if (outcome) return;
      outcome = { error };
      events.length = 0;
      wake?.();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const event = events.shift();
        if (event) yield event;
        else if (!outcome) await new Promise<void>((resolve) => (wake = resolve));
        else if ("error" in outcome) throw outcome.error;
        else return;
      }
    },
  };
}
