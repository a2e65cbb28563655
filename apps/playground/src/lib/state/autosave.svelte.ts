import { isGrowing } from "@tinygptv/notebook";
import type { Cell, Output } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import type { StoredNotebook } from "#lib/storage/database.ts";
import {
  clearJournal,
  dropJournals,
  journalsLeft,
  withJournal,
  writeJournal,
} from "#lib/storage/journal.ts";
import { mergeNotebooks } from "#lib/storage/merge.ts";
import { loadNotebook, saveNotebook } from "#lib/storage/notebooks.ts";
import {
  outputsOf,
  saveBaseline,
  saveDraft,
  saveOutputs,
  type OutputsOfNotebook,
} from "#lib/storage/outputs.ts";
import { withRoom } from "#lib/storage/room.ts";
import type { NotebookState } from "./notebook.svelte.ts";
import type { OutputChange } from "./outputs.svelte.ts";

/** Writing waits for a pause this long; the journal covers the time in between. */
const pause = 400;
/** How long until a failed save is tried again by itself. */
const retryAfter = 5000;

type SaveState = "saved" | "waiting" | "saving" | "failed";

/** What tabs tell each other. */
interface Message {
  id: string;
  /** The notebook has been saved, under this title; absent: one of its outputs has. */
  saved?: { revision: number; title: string };
}

/** Keeps the open notebook in the browser's database, in step with other tabs. */
export class Autosave {
  state = $state<SaveState>("saved");
  /** What went wrong with the last save, in words; the notebook itself is still in memory and in the journal. */
  problem = $state<string | undefined>();
  /** Told of every notebook that was saved, here or in another tab. */
  onSaved: (id: string, title: string) => void = () => {};
  readonly #notebook: NotebookState;
  #channel: BroadcastChannel | undefined;
  #base = $state.raw<StoredNotebook | undefined>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** Cells changed since the last save, for the journal. */
  #changed = new Set<string>();
  #savedEdits = 0;

  constructor(notebook: NotebookState) {
    this.#notebook = notebook;
    notebook.onChange = (cell) => this.#onChange(cell);
  }

  /** Hears other tabs from now on, and is heard. */
  start(): void {
    this.#channel = new BroadcastChannel("tinygptv-notebooks");
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.saved !== undefined) this.onSaved(data.id, data.saved.title);
      if (data.id === this.#base?.id) void this.#onOtherTab(data);
    };
  }

  get id(): string | undefined {
    return this.#base?.id;
  }

  /** Opens a stored notebook with its outputs and the changes that came after its last save. */
  async open(id: string): Promise<void> {
    await this.flush();
    const stored = await loadNotebook(id);
    if (stored === undefined)
      throw new TinyGptvError("io", `${id}: no such notebook in this browser`, { subject: id });
    const [outputs, journals] = await Promise.all([outputsOf(id), journalsLeft(id)]);
    const recovered = [...journals.values()].reduce(
      (notebook, journal) =>
        mergeNotebooks(stored.notebook, withJournal(stored, journal), notebook),
      stored.notebook,
    );
    this.#notebook.load(recovered);
    this.#showOutputs(outputs);
    this.#begin(stored);
    if (journals.size === 0) return;
    this.#notebook.edits++;
    await this.flush();
    if (this.problem === undefined) dropJournals(journals.keys());
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

  /** Keeps what of a cell's outputs changed. */
  keepOutputs({ cellId, ...change }: OutputChange): Promise<void> {
    return this.#keep((id) => saveOutputs(id, cellId, change));
  }

  /** Keeps (or with undefined forgets) the output others of a cell are compared with. */
  keepBaseline(cellId: string, output: Output | undefined): Promise<void> {
    return this.#keep((id) => saveBaseline(id, cellId, output));
  }

  /** Keeps an output that is still being made; other tabs hear of it when it is done. */
  async keepDraft(cellId: string, output: Output): Promise<void> {
    const id = this.#base?.id;
    if (id !== undefined) await this.#guard(() => saveDraft(id, cellId, output));
  }

  /** Saves at once what is not saved. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#channel?.close();
  }

  #begin(stored: StoredNotebook): void {
    this.#base = stored;
    this.#changed.clear();
    this.#savedEdits = this.#notebook.edits;
    this.state = "saved";
    this.problem = undefined;
  }

  #onChange(cell: Cell | undefined): void {
    if (this.#base === undefined) return;
    if (cell !== undefined) this.#changed.add(cell.id);
    // Without room for the journal, what was typed must not wait.
    this.#schedule(this.#writeJournal(this.#base) ? pause : 0);
  }

  #writeJournal({ id, revision }: StoredNotebook): boolean {
    const { title, model, cells } = this.#notebook;
    const changed = cells.filter((cell) => this.#changed.has(cell.id));
    return writeJournal(id, {
      revision,
      order: cells.map((cell) => cell.id),
      changed: {
        title,
        ...(model !== undefined && { model }),
        cells: $state.snapshot(changed) as Cell[],
      },
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
      const { title } = saved.notebook;
      this.#tell({ id: saved.id, saved: { revision: saved.revision, title } });
      this.onSaved(saved.id, title);
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
      } else {
        this.#writeJournal(saved);
        this.#schedule(pause);
      }
    });
    if (ok) return;
    this.#schedule(retryAfter);
    this.state = "failed";
  }

  /** Writes something of the open notebook's outputs and tells other tabs. */
  async #keep(write: (id: string) => Promise<void>): Promise<void> {
    const id = this.#base?.id;
    if (id !== undefined && (await this.#guard(() => write(id)))) this.#tell({ id });
  }

  /** Runs a write and says in words what went wrong with it. */
  async #guard(write: () => Promise<void>): Promise<boolean> {
    try {
      await withRoom(write);
      this.problem = undefined;
      return true;
    } catch (error) {
      this.problem =
        error instanceof TinyGptvError
          ? error.message
          : `Saving failed: ${error instanceof Error ? error.message : String(error)}. Everything is still here: download the notebook to be safe.`;
      return false;
    }
  }

  #tell(message: Message): void {
    this.#channel?.postMessage(message);
  }

  #showOutputs({ kept, baselines }: OutputsOfNotebook): void {
    const { outputs } = this.#notebook;
    this.#notebook.baselines.clear();
    for (const [cellId, output] of baselines) this.#notebook.baselines.set(cellId, output);
    for (const [cellId, found] of kept) {
      const newest = outputs.kept(cellId)?.outputs.at(-1);
      // What runs here is newer than what another tab kept.
      if (newest === undefined || !isGrowing(newest)) outputs.load(cellId, found);
    }
  }

  /** Another tab saved: take its version, or join it with what is unsaved here. */
  async #onOtherTab({ id, saved }: Message): Promise<void> {
    if (saved === undefined) {
      const kept = await outputsOf(id);
      if (this.#base?.id === id) this.#showOutputs(kept);
      return;
    }
    const unsaved = (): boolean => this.#notebook.edits !== this.#savedEdits;
    if (this.#base === undefined || saved.revision <= this.#base.revision) return;
    if (unsaved()) return void this.flush(); // saving joins both
    const stored = await loadNotebook(id);
    if (stored === undefined || this.#base?.id !== id || unsaved()) return;
    this.#base = stored;
    this.#notebook.adopt(stored.notebook);
  }
}
