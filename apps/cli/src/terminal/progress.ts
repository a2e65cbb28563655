import { coloursFor, formatBytes, formatSeconds, isTerminal } from "./output.ts";
import type { TerminalStream } from "./output.ts";

export interface Progress {
  /** @param label what is being worked on now */
  update(label: string, done: number, total: number): void;
  /** Takes the bar away, so that other lines can be written. */
  clear(): void;
}

const barWidth = 24;
/** Milliseconds between two drawings. */
const interval = 100;

/**
 * A bar on standard error: how much is done, time left (from the mean rate so far).
 * Nothing is drawn where standard error is no terminal.
 * @param show an amount of what is counted; bytes unless given
 */
export function createProgress(
  show: (amount: number) => string = formatBytes,
  stream: TerminalStream = process.stderr,
  now = () => performance.now(),
): Progress {
  if (!isTerminal(stream)) return { update() {}, clear() {} };
  const { cyan, dim } = coloursFor(stream);
  let start: { at: number; done: number } | undefined;
  let drawnAt = -Infinity;

  return {
    update(label, done, total) {
      // A resumed download starts in the middle: the rate counts from there.
      if (!start || done < start.done) start = { at: now(), done };
      if (done < total && now() - drawnAt < interval) return;
      drawnAt = now();
      const filled = Math.round(barWidth * Math.min(1, done / total));
      const bar = cyan("━".repeat(filled)) + dim("━".repeat(barWidth - filled));
      const seconds = (now() - start.at) / 1000;
      const rate = (done - start.done) / seconds;
      const left = rate > 0 && seconds > 1 ? `, ${formatSeconds((total - done) / rate)} left` : "";
      const counts = `${show(done)} of ${show(total)}${left}`;
      stream.write(`\r\u001b[K${bar} ${label} ${dim(counts)}`);
    },
    clear() {
      if (drawnAt > -Infinity) stream.write("\r\u001b[K");
      start = undefined;
      drawnAt = -Infinity;
    },
  };
}
