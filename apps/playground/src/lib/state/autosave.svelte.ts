import { TinyGptvError } from "tinygptv/errors";
import type { Cell, Output } from "tinygptv/notebook";
import type { StoredNotebook } from "#lib/storage/database.ts";
import { clearJournal, readJournal, writeJournal } from "#lib/storage/journal.ts";
import { mergeNotebooks } from "#lib/storage/merge.ts";
import {
  freeSpace,
  loadNotebook,
  outputsOf,
  saveNotebook,
  saveOutput,
} from "#lib/storage/notebooks.ts";
import type { NotebookState } from "./notebook.svelte.ts";

/** Writing waits for a pause this long; the journal covers the time in between. */
const pause = 400;
/** How long until a failed save is tried again by itself. */
const retryAfter = 5000;

type SaveState = "saved" | "waiting" | "saving" | "failed";

/** Keeps the open notebook in the browser's database, in step with other tabs. */
export class Autosave {
  state = $state<SaveState>("saved");
  /** What went wrong with the last save, in words; the notebook itself is still in memory and in the journal. */
  problem = $state<string | undefined>();
  readonly #notebook: NotebookState;
  readonly #channel = new BroadcastChannel("tinygptv-notebooks");
  #base = $state.raw<StoredNotebook | undefined>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** Cells changed since the last save, for the journal. */
  #changed = new Set<string>();
  #savedEdits = 0;

  constructor(notebook: NotebookState) {
    this.#notebook = notebook;
    notebook.onChange = (cell) => this.#onChange(cell);
    this.#channel.onmessage = ({ data }: MessageEvent<{ id: string; revision: number }>) =>
      void this.#onOtherTab(data);
  }

  get id(): string | undefined {
    return this.#base?.id;
  }

  /** Opens a stored notebook with its outputs and the keystrokes that came after its last save. */
  async open(id: string): Promise<void> {
    await this.flush();
    const stored = await loadNotebook(id);
    if (stored === undefined)
      throw new TinyGptvError("io", `${id}: no such notebook in this browser`, { subject: id });
    const outputs = await outputsOf(id);
    this.#notebook.load(stored.notebook);
    for (const { cellId, kind, output } of outputs) this.#shelf(kind).set(cellId, output);
    this.#begin(stored);
    this.#applyJournal(stored);
  }

  /** Starts keeping the notebook that is open now under a new id. */
  async create(id: string): Promise<void> {
    this.#begin({ id, revision: 0, updatedAt: Date.now(), notebook: this.#notebook.snapshot() });
    this.#notebook.edits++;
    await this.flush();
  }

  /** Leaves the notebook without keeping what is open next (a shared copy). */
  async leave(): Promise<void> {
    await this.flush();
    this.#base = undefined;
  }

  keepOutput(
    cellId: string,
    kind: "latest" | "baseline",
    output: Output | undefined,
  ): Promise<void> {
    const id = this.#base?.id;
    if (id === undefined) return Promise.resolve();
    return this.#guard(() => saveOutput(id, cellId, kind, output));
  }

  /** Saves at once what is not saved. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#channel.close();
  }

  #shelf(kind: "latest" | "baseline"): NotebookState["outputs"] {
    return kind === "latest" ? this.#notebook.outputs : this.#notebook.baselines;
  }

  #begin(stored: StoredNotebook): void {
    this.#base = stored;
    this.#changed.clear();
    this.#savedEdits = this.#notebook.edits;
    this.state = "saved";
    this.problem = undefined;
  }

  #applyJournal({ id, revision }: StoredNotebook): void {
    const journal = readJournal(id);
    if (journal === undefined || journal.revision < revision) return;
    for (const cell of journal.cells) {
      const index = this.#notebook.cells.findIndex((other) => other.id === cell.id);
      if (index === -1) this.#notebook.cells.push(cell);
      else this.#notebook.cells[index] = cell;
      this.#changed.add(cell.id);
    }
    this.#notebook.edits++;
    this.#schedule(pause);
  }

  #onChange(cell: Cell | undefined): void {
    if (this.#base === undefined) return;
    if (cell !== undefined) this.#changed.add(cell.id);
    this.#writeJournal();
    this.#schedule(pause);
  }

  #writeJournal(): void {
    if (this.#base === undefined || this.#changed.size === 0) return;
    const cells = this.#notebook.cells.filter(({ id }) => this.#changed.has(id));
    writeJournal(this.#base.id, {
      revision: this.#base.revision,
      cells: $state.snapshot(cells) as Cell[],
    });
  }

  #schedule(delay: number): void {
    this.state = "waiting";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), delay);
  }

  async #save(): Promise<void> {
    const base = this.#base;
    const edits = this.#notebook.edits;
    if (base === undefined || edits === this.#savedEdits) return;
    this.state = "saving";
    const mine = this.#notebook.snapshot();
    const ok = await this.#guard(async () => {
      const saved = await saveNotebook(base, mine, Date.now());
      if (this.#base !== base) return; // another notebook was opened meanwhile
      this.#base = saved;
      this.#savedEdits = edits;
      // Another tab's changes came in: join them with what was typed during the save.
      if (saved.notebook !== mine)
        this.#notebook.adopt(mergeNotebooks(mine, this.#notebook.snapshot(), saved.notebook));
      if (this.#notebook.edits === edits) {
        this.#changed.clear();
        clearJournal(base.id);
        this.state = "saved";
      } else this.#schedule(pause);
      this.#channel.postMessage({ id: saved.id, revision: saved.revision });
    }).then(() => this.problem === undefined);
    if (!ok) this.#schedule(retryAfter);
  }

  /** Runs a write; when the browser's storage is full, makes room once and tries again. */
  async #guard(write: () => Promise<void>): Promise<void> {
    try {
      await write().catch(async (error: unknown) => {
        if (!isFull(error) || (await freeSpace()) === 0) throw error;
        await write();
      });
      this.problem = undefined;
    } catch (error) {
      this.state = "failed";
      this.problem = isFull(error)
        ? "This browser's storage is full. Everything is still here: download the notebook, then delete notebooks or pictures you no longer need."
        : `Saving failed: ${error instanceof Error ? error.message : String(error)}. Everything is still here: download the notebook to be safe.`;
    }
  }

  /** Another tab saved this notebook: take its version, or join it with what is unsaved here. */
  async #onOtherTab({ id, revision }: { id: string; revision: number }): Promise<void> {
    if (this.#base?.id !== id || revision <= this.#base.revision) return;
    if (this.#notebook.edits !== this.#savedEdits) return void this.flush(); // saving joins both
    const stored = await loadNotebook(id);
    if (stored === undefined || this.#base?.id !== id || this.#notebook.edits !== this.#savedEdits)
      return;
    this.#base = stored;
    this.#notebook.adopt(stored.notebook);
    for (const { cellId, kind, output } of await outputsOf(id))
      this.#shelf(kind).set(cellId, output);
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "QuotaExceededError";
