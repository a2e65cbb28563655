import { remarkText, unfolded } from "@tinygptv/notebook";
import type { Cell, Notebook, Output, Remark } from "@tinygptv/notebook";
import { examples } from "#lib/notebook/examples.ts";
import { newCell } from "#lib/notebook/newCell.ts";
import { newId } from "#lib/notebook/newId.ts";
import { readNotebookFile } from "#lib/notebook/openFile.ts";
import {
  deleteNotebook,
  listNotebooks,
  restoreNotebook,
  type NotebookSummary,
  type WholeNotebook,
} from "#lib/storage/notebooks.ts";
import { saveOutputs } from "#lib/storage/outputs.ts";
import { withRoom } from "#lib/storage/room.ts";
import { fromFragment } from "#lib/notebook/urlState.ts";
import { gallery } from "#lib/notebook/gallery.ts";
import { fetchShared } from "#lib/notebook/share.ts";
import type { App } from "./app.svelte.ts";

const lastKey = "last-notebook";

/** Which notebooks there are, and opening them. */
export class Library {
  notebooks = $state.raw<NotebookSummary[]>([]);
  /** Whether those are all. */
  known = $state(false);
  /** The notebook just deleted; gone for good once another one is opened. */
  removed = $state.raw<WholeNotebook | undefined>();
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
    app.autosave.onSaved = (id, title) => this.#saved({ id, title, updatedAt: Date.now() });
  }

  /** Opens what was open last; somebody new gets the first steps. */
  async start(): Promise<void> {
    await this.refresh();
    const last = localStorage.getItem(lastKey);
    const id = this.notebooks.find((notebook) => notebook.id === last)?.id ?? this.notebooks[0]?.id;
    if (id !== undefined) await this.open(id);
    else await this.openExample("first-steps");
  }

  async refresh(): Promise<void> {
    this.notebooks = await listNotebooks();
    this.known = true;
  }

  open(id: string): Promise<void> {
    return this.#replace(async () => {
      await this.#app.autosave.open(id);
      this.#opened(id);
    });
  }

  create(): Promise<void> {
    return this.adopt({ title: "Untitled", cells: [] });
  }

  /** An example becomes a notebook of one's own; the original stays. */
  openExample(name: string): Promise<void> {
    const example = examples.find((candidate) => candidate.name === name);
    return example === undefined ? Promise.resolve() : this.adopt(example.read());
  }

  importFile(file: File | undefined): Promise<void> {
    return this.#try(async () => {
      if (file === undefined) return;
      const { notebook, outputs, remarks } = await readNotebookFile(file);
      await this.adopt(notebook, outputs);
      this.#tell(file.name, remarks);
    });
  }

  /**
   * Shows a shared notebook; it can be run, and changed once it is kept.
   * @param baseUrl the endpoint that has it, "" for this server
   */
  openShared(baseUrl: string, id: string): Promise<void> {
    return this.#replace(async () => {
      const { notebook, outputs, remarks } = await fetchShared(baseUrl, id);
      await this.#app.autosave.leave();
      this.#app.notebook.load(notebook);
      for (const [cellId, output] of outputs)
        this.#app.notebook.outputs.load(cellId, unfolded(output));
      this.#app.notebook.readOnly = true;
      this.#tell(notebook.title, remarks);
    });
  }

  /** Shows what an address holds; its changes go back into the address, not into storage. */
  openFragment(fragment: string): Promise<void> {
    return this.#replace(async () => {
      const { notebook, remarks } =
        fragment === "" ? { notebook: emptyComparison(), remarks: [] } : fromFragment(fragment);
      await this.#app.autosave.leave();
      this.#app.notebook.load(notebook);
      this.#tell(notebook.title, remarks);
    });
  }

  /** Makes the notebook that is open a new one of one's own. */
  keepShared(): Promise<void> {
    const { outputs } = this.#app.notebook;
    const whole = outputs.cells().map((cellId) => [cellId, outputs.whole(cellId)] as const);
    return this.adopt(
      this.#app.notebook.snapshot(),
      new Map(whole.flatMap(([cellId, output]) => (output ? [[cellId, output]] : []))),
    );
  }

  /** Opens a notebook from elsewhere and keeps it from now on. */
  adopt(notebook: Notebook, outputs: ReadonlyMap<string, Output> = new Map()): Promise<void> {
    return this.#replace(async () => {
      await this.#app.autosave.leave();
      this.#app.notebook.load(notebook);
      const id = newId() + newId();
      for (const [cellId, output] of outputs) {
        const kept = unfolded(output);
        this.#app.notebook.outputs.load(cellId, kept);
        const all = { saved: kept.outputs, gone: [], shown: kept.shown };
        await withRoom(() => saveOutputs(id, cellId, all));
      }
      await this.#app.autosave.create(id);
      this.#opened(id);
      await this.refresh();
    });
  }

  /** Deletes a notebook; `undoRemove` brings it back. */
  remove(id: string): Promise<void> {
    return this.#try(async () => {
      const open = id === this.#app.autosave.id;
      if (open) {
        await this.#app.runner.end();
        await this.#app.autosave.leave();
      }
      const removed = await deleteNotebook(id);
      await this.refresh();
      if (open) await this.start();
      this.removed = removed;
    });
  }

  undoRemove(): Promise<void> {
    return this.#try(async () => {
      if (this.removed === undefined) return;
      await restoreNotebook(this.removed);
      await this.refresh();
      await this.open(this.removed.stored.id);
    });
  }

  /** Whatever was written last is first, under its present title. */
  #saved(notebook: NotebookSummary): void {
    this.notebooks = [notebook, ...this.notebooks.filter(({ id }) => id !== notebook.id)];
  }

  #opened(id: string): void {
    this.#app.notebook.readOnly = false;
    localStorage.setItem(lastKey, id);
    if (matchMedia("(max-width: 64rem)").matches) this.#app.sidebar = false;
  }

  /** What runs belongs to the notebook that is open: it ends before another one comes. */
  #replace(load: () => Promise<void>): Promise<void> {
    return this.#try(async () => {
      await this.#app.runner.end();
      await load();
      this.removed = undefined;
    });
  }

  /** Says all that was not taken as it stands in a file. */
  #tell(name: string, remarks: readonly Remark[]): void {
    if (remarks.length === 0) return;
    const wrong = remarks.some(({ kind }) => kind === "mistake");
    this.#app.notices.say({
      about: "notebook",
      kind: wrong ? "warning" : "info",
      text: wrong
        ? `${name} has mistakes in it. The cells concerned are marked, and kept as they are written.`
        : `${name} was opened, but not all of it:`,
      details: remarks.map(remarkText),
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      this.#app.notices.drop("notebook");
      await work();
    } catch (error) {
      this.#app.notices.blame("notebook", error);
    }
  }
}

function emptyComparison(): Notebook {
  const picture = { ...newCell("picture", [], 0), file: gallery[0]?.file ?? "" } as Cell;
  return { title: "Comparison", cells: [picture, newCell("compare", [picture], 1)] };
}
