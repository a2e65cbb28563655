import type { Interval } from "./bootstrap.ts";

/** Whether a difference is one: its interval lies on one side of nothing. */
export type Verdict = "better" | "worse" | "no difference shown";

/** What the interval of a difference says. */
export function verdictOf({ low, high }: Interval): Verdict {
  if (low > 0) return "better";
  return high < 0 ? "worse" : "no difference shown";
}
