/**
 * For work that has something to tidy up: the first Ctrl-C asks it to stop, a
 * second one ends the process. Everything else is ended by the first one, as
 * the system does it: at once, even inside a long computation.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => controller.abort();
  process.once("SIGINT", onInterrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}
