/** What the benchmark asks its subjects: programs of their own, so that memory and threads are theirs alone. */
export type Measurement =
  /** One token after the other, each sequence holding `context` positions before. */
  | { kind: "decode"; context: number; batch: number; steps: number }
  | { kind: "prefill"; tokens: number }
  /** The vision encoder on one picture. */
  | { kind: "picture" };

/** A subject's answer: milliseconds of each step (of each run, for the others). */
export type Answer = { milliseconds: number[] } | { error: string };

/** Answers measurements over Node's channel until the benchmark disconnects. */
export function serve(measure: (what: Measurement) => Promise<number[]>): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", (what: Measurement) => {
    void measure(what)
      .then(
        (milliseconds): Answer => ({ milliseconds }),
        (error: Error): Answer => ({ error: error.stack ?? error.message }),
      )
      .then((answer) => process.send?.(answer));
  });
  process.send?.({ milliseconds: [] });
}

export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
