import { isAsking } from "@tinygptv/notebook";
import type { App } from "./app.svelte.ts";

/** Typing goes on: a cell set to run by itself waits for a pause this long, in ms. */
const pause = 1200;

/** Runs cells that are set to it when their inputs have changed. Called while a component is set up. */
export function autoRun({ notebook, runner, connection }: App): void {
  $effect(() => {
    if (connection.state !== "connected") return;
    const due = notebook.cells.filter(
      (cell) =>
        isAsking(cell) &&
        cell.auto &&
        notebook.changedSince(cell) &&
        !runner.active.has(cell.id) &&
        !runner.errors.has(cell.id),
    );
    if (due.length === 0) return;
    const timer = setTimeout(() => {
      for (const { id } of due) void runner.run(id);
    }, pause);
    return () => clearTimeout(timer);
  });
}
