import { withoutRivals } from "@tinygptv/notebook";
import type { Output } from "@tinygptv/notebook";

const interval = 1000; // ms
/** Writing takes at most one part in so many of the time: long answers are written less often. */
const share = 20;

/** Keeps a growing output once a second, so that a page that goes away loses no more than that. */
export class Drafts {
  readonly #write: (cellId: string, output: Output) => Promise<void>;
  #latest: { cellId: string; output: Output } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(write: (cellId: string, output: Output) => Promise<void>) {
    this.#write = write;
  }

  /** Takes the next state; the first one is written at once. */
  next(cellId: string, output: Output): void {
    const first = this.#latest === undefined;
    this.#latest = { cellId, output };
    if (first) this.flush();
  }

  /** Writes the latest state now. */
  flush(): void {
    const latest = this.#latest;
    if (latest === undefined) return;
    clearTimeout(this.#timer);
    const begun = performance.now();
    const plain = withoutRivals(latest.output);
    const written = this.#write(latest.cellId, plain);
    const pause = Math.max(interval, share * (performance.now() - begun));
    void written.then(() => {
      if (this.#latest === undefined) return;
      this.#timer = setTimeout(() => this.flush(), pause);
    });
  }

  /** It is complete, and kept as a whole. */
  end(): void {
    clearTimeout(this.#timer);
    this.#latest = undefined;
  }
}
