/** Notices silence. */
export interface Watchdog {
  /** A sign of life. */
  heard(): void;
  /** Milliseconds since the last sign, in steps of a tick. */
  readonly silence: number;
  stop(): void;
}

/** Milliseconds between two looks at most, so that what is read off `silence` is never much older. */
const maxTick = 1000;
const minTicks = 10;

/**
 * Calls `onSilence` after `limit` milliseconds without a sign of life, and at
 * every tick from then on. It counts its own ticks rather than time: where this
 * process was itself stopped or asleep, the signs that came meanwhile are read first.
 */
export function createWatchdog(limit: number, onSilence: () => void): Watchdog {
  const tick = Math.min(maxTick, limit / minTicks);
  let silence = 0;
  const timer = setInterval(() => {
    silence += tick;
    if (silence > limit) onSilence();
  }, tick);
  return {
    heard: () => void (silence = 0),
    get silence() {
      return silence;
    },
    stop: () => clearInterval(timer),
  };
}
