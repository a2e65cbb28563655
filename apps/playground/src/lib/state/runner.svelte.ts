import { SvelteMap } from "svelte/reactivity";
import { ended, isAsking, runCell, runError, runOrder } from "@tinygptv/notebook";
import type { AskingCell, Cell, Output, Run, RunError } from "@tinygptv/notebook";
import { isAborted } from "#lib/client/engine.ts";
import { readPicture } from "#lib/storage/pictures.ts";
import type { Connection } from "./connection.svelte.ts";
import { Drafts } from "./draft.ts";
import type { NotebookState, Reshown } from "./notebook.svelte.ts";

/** Runs cells one after the other and writes what they produce into the notebook. */
export class Runner {
  /** Cells waiting or running. */
  readonly active = new SvelteMap<string, "waiting" | "running">();
  /** Why a cell as a whole could not run; shown in the cell. */
  readonly errors = new SvelteMap<string, RunError>();
  readonly #notebook: NotebookState;
  readonly #connection: Connection;
  readonly #drafts: Drafts;
  readonly #controllers = new Map<string, AbortController>();
  #queue: Promise<void> = Promise.resolve();

  /** @param keepDraft keeps an output that is still growing */
  constructor(
    notebook: NotebookState,
    connection: Connection,
    keepDraft: (cellId: string, output: Output) => Promise<void>,
  ) {
    this.#notebook = notebook;
    this.#connection = connection;
    this.#drafts = new Drafts(keepDraft);
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

  /** Keeps what has arrived so far: the page may go away. */
  flush(): void {
    this.#drafts.flush();
  }

  /** Stops everything and waits until what had arrived is handed over: another notebook comes. */
  async end(): Promise<void> {
    this.stopAll();
    await this.#queue;
    this.errors.clear();
  }

  #enqueue(cells: readonly Cell[]): Promise<void> {
    const changed: Reshown[] = [];
    for (const { id } of cells.filter(isAsking)) {
      if (this.active.has(id)) continue;
      this.active.set(id, "waiting");
      this.#queue = this.#queue.then(() => this.#start(id, changed));
    }
    this.#queue = this.#queue.then(() => {
      if (changed.length > 0) this.#notebook.ran(changed);
    });
    return this.#queue;
  }

  /** @param changed receives the cell where an answer took the place of another */
  async #start(id: string, changed: Reshown[]): Promise<void> {
    const cell = this.#notebook.cell(id);
    if (cell === undefined || !isAsking(cell) || this.active.get(id) !== "waiting") return;
    const controller = new AbortController();
    this.#controllers.set(id, controller);
    this.active.set(id, "running");
    this.errors.delete(id);
    const plain = $state.snapshot<AskingCell>(cell);
    const before = this.#notebook.outputs.kept(id)?.shown;
    const shown = this.#showing(id, before === undefined);
    try {
      await runCell(
        plain,
        {
          notebook: this.#notebook,
          outputOf: this.#notebook.outputOf,
          now: () => new Date().toISOString(),
          engine: this.#connection.engine,
          readPicture,
          signal: controller.signal,
        },
        shown.next,
      );
    } catch (error) {
      if (!isAborted(error)) this.errors.set(id, runError(error));
    } finally {
      const output = shown.end();
      this.#controllers.delete(id);
      this.active.delete(id);
      if (output !== undefined) this.#notebook.outputs.finish(id, ended(output), before);
      const after = this.#notebook.outputs.kept(id)?.shown;
      // Taking back a run of a cell that runs by itself would only make it run again.
      if (before !== undefined && after !== undefined && before !== after && cell.auto !== true)
        changed.push({ id, before, after });
      if (output?.runs.some((run) => run.error?.code === "network"))
        void this.#connection.refresh();
    }
  }

  /** Puts a growing output into the notebook, at most once a frame: tokens may come faster than a screen draws. */
  #showing(id: string, first: boolean): { next(output: Output): void; end(): Output | undefined } {
    let latest: Output | undefined;
    let scheduled = false;
    let over = false;
    const show = (): void => {
      scheduled = false;
      if (latest === undefined || over) return;
      this.#notebook.outputs.grow(id, latest);
      this.#drafts.next(id, latest);
    };
    const next = (output: Output): void => {
      latest = output;
      // The earlier output stays until there is something to put in its place.
      if (scheduled || !(first ? output.runs.some(hasBegun) : output.runs.some(hasArrived))) return;
      scheduled = true;
      // A hidden page draws no frames; its answers must arrive all the same.
      if (document.hidden) setTimeout(show, 50);
      else requestAnimationFrame(show);
    };
    const end = (): Output | undefined => {
      over = true;
      this.#drafts.end();
      return latest;
    };
    return { next, end };
  }
}

const hasBegun = ({ answers, error }: Run): boolean => answers.length > 0 || error !== undefined;
const hasArrived = ({ answers }: Run): boolean =>
  answers.some(({ text, tokens }) => text !== "" || tokens.length > 0);
