import { SvelteMap } from "svelte/reactivity";
import {
  applyEvent,
  isAsking,
  newOutput,
  runCell,
  runError,
  runOrder,
  type AskingCell,
  type Cell,
  type Output,
  type OutputEvent,
  type RunError,
} from "tinygptv/notebook";
import { isAborted } from "#lib/client/engine.ts";
import { readPicture } from "#lib/storage/pictures.ts";
import type { Connection } from "./connection.svelte.ts";
import type { NotebookState } from "./notebook.svelte.ts";

/** Runs cells one after the other and writes what they produce into the notebook. */
export class Runner {
  /** Cells waiting or running. */
  readonly active = new SvelteMap<string, "waiting" | "running">();
  /** Why a cell as a whole could not run; shown in the cell. */
  readonly errors = new SvelteMap<string, RunError>();
  readonly #notebook: NotebookState;
  readonly #connection: Connection;
  readonly #finished: (cell: AskingCell, output: Output) => void;
  readonly #controllers = new Map<string, AbortController>();
  #queue: Promise<void> = Promise.resolve();

  /** @param finished told of every output, complete or stopped */
  constructor(
    notebook: NotebookState,
    connection: Connection,
    finished: (cell: AskingCell, output: Output) => void,
  ) {
    this.#notebook = notebook;
    this.#connection = connection;
    this.#finished = finished;
  }

  get busy(): boolean {
    return this.active.size > 0;
  }

  /** Runs a cell, and before it those it needs that have no output yet. */
  run(id: string): Promise<void> {
    const cell = this.#notebook.cell(id);
    if (cell === undefined) return Promise.resolve();
    try {
      const needed = runOrder(this.#notebook, cell).filter(
        (other) => other !== cell && isAsking(other) && !this.#notebook.outputs.has(other.id),
      );
      return this.#enqueue([...needed, cell]);
    } catch (error) {
      this.errors.set(id, runError(error));
      return Promise.resolve();
    }
  }

  runAll(): Promise<void> {
    return this.#enqueue(this.#notebook.cells);
  }

  /** From a cell to the end. */
  runBelow(id: string): Promise<void> {
    return this.#enqueue(
      this.#notebook.cells.slice(this.#notebook.cells.findIndex((cell) => cell.id === id)),
    );
  }

  stop(id: string): void {
    this.#controllers.get(id)?.abort();
    if (this.active.get(id) === "waiting") this.active.delete(id);
  }

  stopAll(): void {
    for (const id of this.active.keys()) this.stop(id);
  }

  /** Stops everything and waits until what had arrived is handed over: another notebook comes. */
  async end(): Promise<void> {
    this.stopAll();
    await this.#queue;
    this.errors.clear();
  }

  #enqueue(cells: readonly Cell[]): Promise<void> {
    for (const { id } of cells.filter(isAsking)) {
      if (this.active.has(id)) continue;
      this.active.set(id, "waiting");
      this.#queue = this.#queue.then(() => this.#start(id));
    }
    return this.#queue;
  }

  async #start(id: string): Promise<void> {
    const cell = this.#notebook.cell(id);
    if (cell === undefined || !isAsking(cell) || this.active.get(id) !== "waiting") return;
    const controller = new AbortController();
    this.#controllers.set(id, controller);
    this.active.set(id, "running");
    this.errors.delete(id);
    const plain = $state.snapshot<AskingCell>(cell);
    const fold = this.#foldInto(plain);
    try {
      await runCell(
        plain,
        {
          ...this.#context(),
          engine: this.#connection.engine,
          readPicture,
          signal: controller.signal,
        },
        fold.add,
      );
    } catch (error) {
      if (!isAborted(error)) this.errors.set(id, runError(error));
    } finally {
      fold.flush();
      this.#controllers.delete(id);
      this.active.delete(id);
      const output = this.#notebook.outputs.get(id);
      if (output !== undefined && fold.started())
        this.#finished(cell, $state.snapshot<Output>(output));
      if (output?.runs.some((run) => run.error?.code === "network"))
        void this.#connection.refresh();
    }
  }

  #context(): { notebook: NotebookState; outputOf: NotebookState["outputOf"]; now: () => string } {
    return {
      notebook: this.#notebook,
      outputOf: this.#notebook.outputOf,
      now: () => new Date().toISOString(),
    };
  }

  /** Folds events into the cell's output, at most once a frame: tokens may come faster than a screen draws. */
  #foldInto(cell: AskingCell): {
    add(event: OutputEvent): void;
    flush(): void;
    started(): boolean;
  } {
    let output: Output | undefined;
    let waiting: OutputEvent[] = [];
    let scheduled = false;
    const flush = (): void => {
      scheduled = false;
      for (const event of waiting) {
        if (event.type === "plan") {
          const fresh = $state(newOutput(this.#context(), cell));
          this.#notebook.outputs.set(cell.id, fresh);
          output = fresh;
        }
        if (output !== undefined) applyEvent(output, event);
      }
      waiting = [];
    };
    const add = (event: OutputEvent): void => {
      waiting.push(event);
      if (scheduled) return;
      scheduled = true;
      // A hidden page draws no frames; its answers must arrive all the same.
      if (document.hidden) setTimeout(flush, 50);
      else requestAnimationFrame(flush);
    };
    return { add, flush, started: () => output !== undefined };
  }
}
