/**
 * Work that blocks its thread makes way here: what waits for the thread
 * (messages, cancellations, files) has it until the promise resolves. Node has a
 * function for this; pages and their workers do not, and their timers wait for
 * milliseconds.
 */
export const pause: () => Promise<void> =
  typeof setImmediate === "function" ? byImmediate(setImmediate) : byMessage();

function byImmediate(immediate: typeof setImmediate): () => Promise<void> {
  return () => new Promise((resolve) => void immediate(resolve));
}

function byMessage(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.addEventListener("message", () => waiting.shift()!());
  port1.start();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(undefined);
    });
}
