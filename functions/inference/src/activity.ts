/** What runs right now, and whether more may come: the base of a graceful shutdown. */
export interface Activity {
  readonly draining: boolean;
  readonly active: number;
  /** Counts a request until the returned function is called (once). */
  begin(): () => void;
  /** Refuses what comes from now on; resolves when nothing runs any more. */
  drain(): Promise<void>;
}

export function createActivity(): Activity {
  let active = 0;
  let draining = false;
  const idle = Promise.withResolvers<void>();
  const check = () => {
    if (draining && active === 0) idle.resolve();
  };
  return {
    get draining() {
      return draining;
    },
    get active() {
      return active;
    },
    begin() {
      active += 1;
      let open = true;
      return () => {
        if (!open) return;
        open = false;
        active -= 1;
        check();
      };
    },
    drain() {
      draining = true;
      check();
      return idle.promise;
    },
  };
}
