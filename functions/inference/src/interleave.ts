/**
 * The items of several sources as they come, each with the index of its source;
 * at most `limit` sources run at a time, in order. The first error ends all;
 * ending early returns every source that has begun, without waiting for it.
 */
export async function* interleave<T>(
  sources: readonly AsyncIterable<T>[],
  limit = sources.length,
): AsyncGenerator<{ source: number; item: T }> {
  const running = new Map<number, AsyncIterator<T>>();
  const settled: { source: number; outcome: PromiseSettledResult<IteratorResult<T>> }[] = [];
  let wake = () => {};
  let begun = 0;

  const step = async (source: number, iterator: AsyncIterator<T>) => {
    const [outcome] = await Promise.allSettled([iterator.next()]);
    settled.push({ source, outcome });
    wake();
  };
  const beginMore = () => {
    while (running.size < limit && begun < sources.length) {
      const iterator = sources[begun]![Symbol.asyncIterator]();
      running.set(begun, iterator);
      void step(begun, iterator);
      begun += 1;
    }
  };

  try {
    beginMore();
    while (running.size > 0) {
      const next = settled.shift();
      if (!next) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const { source, outcome } = next;
      if (outcome.status === "rejected") {
        running.delete(source);
        throw outcome.reason;
      }
      if (outcome.value.done) {
        running.delete(source);
        beginMore();
      } else {
        yield { source, item: outcome.value.value };
        void step(source, running.get(source)!);
      }
    }
  } finally {
    for (const iterator of running.values()) iterator.return?.().catch(() => {});
  }
}
