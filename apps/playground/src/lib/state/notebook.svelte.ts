import { SvelteMap } from "svelte/reactivity";
import { asSound, cellNamed, checkChange, freeName, freshness, isAsking } from "@tinygptv/notebook";
import type {
  Cell,
  CellOf,
  Freshness,
  NewCellType,
  Notebook,
  Output,
  PatchOf,
} from "@tinygptv/notebook";
import { newCell } from "#lib/notebook/newCell.ts";
import { newId } from "#lib/notebook/newId.ts";
import { CellList } from "./cellList.svelte.ts";
import { Outputs } from "./outputs.svelte.ts";
import { UndoStack } from "./undo.svelte.ts";

/** A cell that shows another output than before, by their starts. */
export interface Reshown {
  id: string;
  before: string;
  after: string;
}

/**
 * The open notebook: its cells, their outputs and the operations on them. Every
 * change goes through a method, so that it can be saved and taken back.
 */
export class NotebookState {
  title = $state("");
  model = $state<string | undefined>();
  /** A shared copy: can be looked at and run, not changed in place. */
  readOnly = $state(false);
  /** Counts changes to what is saved. */
  edits = $state(0);
  /** Counts notebooks that were opened. */
  opened = $state(0);
  readonly #cells = new CellList((cell) => this.#touched(cell));
  readonly outputs = new Outputs();
  readonly baselines = new SvelteMap<string, Output>();
  readonly history = new UndoStack();
  /** What else a fresh cell of a type starts with: what the endpoint offers. */
  beginning: (type: NewCellType) => Partial<Cell> = () => ({});
  /** Told of every change with the cell it was in, synchronously. */
  onChange: (cell: Cell | undefined) => void = () => {};
  /** Told of every change that a shared copy does not take. */
  onRefused: () => void = () => {};

  get cells(): Cell[] {
    return this.#cells.list;
  }

  get selected(): string | undefined {
    return this.#cells.selected;
  }

  /** The cell a person added last: its text takes the cursor. */
  get justAdded(): string | undefined {
    return this.#cells.justAdded;
  }

  /** Replaces everything; undo starts anew. */
  load(notebook: Notebook): void {
    this.adopt(notebook);
    this.select((this.cells.find(isAsking) ?? this.cells[0])?.id);
    this.history.clear();
    this.outputs.clear();
    this.baselines.clear();
    this.opened++;
  }

  /** Takes another version of the same notebook (another tab's); selection and undo stay. */
  adopt(notebook: Notebook): void {
    this.title = notebook.title;
    this.model = notebook.model;
    this.#cells.list = structuredClone(notebook.cells).map(asSound);
  }

  /** Plain data, independent of what happens next. */
  snapshot(): Notebook {
    const model = this.model === undefined ? {} : { model: this.model };
    return { title: this.title, ...model, cells: $state.snapshot(this.cells) as Cell[] };
  }

  cell(id: string | undefined): Cell | undefined {
    return this.#cells.find(id);
  }

  outputOf = (cell: Cell): Output | undefined => this.outputs.get(cell.id);

  freshness(cell: Cell): Freshness {
    return freshness(this, cell, this.outputs.get(cell.id), this.outputOf);
  }

  /** Whether a cell's inputs have changed since it was last asked, whatever came of that. */
  changedSince(cell: Cell): boolean {
    const newest = this.outputs.kept(cell.id)?.outputs.at(-1);
    return freshness(this, cell, newest, this.outputOf) === "stale";
  }

  /** Cells were run: taking that back shows what they had answered before. */
  ran(cells: readonly Reshown[]): void {
    const show = (which: "before" | "after") => () => {
      for (const cell of cells) this.outputs.show(cell.id, cell[which]);
    };
    const label = cells.length === 1 ? "Run cell" : "Run cells";
    this.history.push({ label, undo: show("before"), redo: show("after") });
  }

  get pictureNames(): string[] {
    return this.cells.flatMap((cell) =>
      cell.type === "picture" && cell.name !== undefined ? [cell.name] : [],
    );
  }

  rename(title: string): void {
    if (this.#refuses()) return;
    this.title = title.slice(0, 200);
    this.#touched(undefined);
  }

  useModel(model: string): void {
    if (this.#refuses()) return;
    this.model = model;
    this.#touched(undefined);
  }

  /** A new cell below the selected one, or at the end; it begins with what lies above it. */
  add<Type extends NewCellType>(
    type: Type,
    at = this.#cells.below(this.selected),
    fields: PatchOf<CellOf<Type>> = {},
  ): Cell {
    const cell = newCell(type, this.cells, at);
    const filled = { ...cell, ...this.beginning(type), ...fields } as Cell;
    const added = this.insert(filled, at, `Add ${type} cell`);
    this.#cells.justAdded = added.id;
    return added;
  }

  /** @returns the cell in the notebook, or the given one where that takes none */
  insert(cell: Cell, at: number, label: string): Cell {
    checkChange(cell, {});
    const place = Math.max(0, Math.min(at, this.cells.length));
    const plain = $state.snapshot<Cell>(cell);
    this.#do({
      label,
      redo: () => this.#cells.put(structuredClone(plain), place),
      undo: () => this.#cells.take(plain.id),
    });
    return this.cell(plain.id) ?? plain;
  }

  duplicate(id: string): void {
    const index = this.#cells.indexOf(id);
    const cell = this.cells[index];
    if (cell === undefined) return;
    const copy = { ...$state.snapshot<Cell>(cell), id: newId() };
    if (copy.name !== undefined)
      copy.name = freeName(
        copy.name,
        this.cells.map(({ name }) => name),
      );
    this.insert(copy, index + 1, "Duplicate cell");
  }

  /** Puts another cell in the place of one. */
  replace({ id }: Cell, other: Cell, label: string): void {
    const index = this.#cells.indexOf(id);
    const before = this.cells[index];
    if (before === undefined) return;
    const [was, becomes] = [$state.snapshot<Cell>(before), $state.snapshot<Cell>(other)];
    checkChange(becomes, {});
    const put = (cell: Cell) => () => this.#cells.swap(structuredClone(cell));
    this.#do({ label, redo: put(becomes), undo: put(was) });
  }

  remove(id: string): void {
    const index = this.#cells.indexOf(id);
    const cell = this.cells[index];
    if (cell === undefined) return;
    const plain = $state.snapshot<Cell>(cell);
    this.#do({
      label: `Delete ${cell.type} cell`,
      redo: () => this.#cells.take(id),
      undo: () => this.#cells.put(structuredClone(plain), index),
    });
  }

  /** Moves a cell to a place among the others. */
  move(id: string, to: number): void {
    const from = this.#cells.indexOf(id);
    const place = Math.max(0, Math.min(to, this.cells.length - 1));
    if (from === -1 || from === place) return;
    this.#do({
      label: "Move cell",
      redo: () => this.#cells.shift(id, place),
      undo: () => this.#cells.shift(id, from),
    });
  }

  /**
   * Changes fields of a cell; `undefined` removes one.
   * @throws TinyGptvError "parameter" where it would be no cell any more
   */
  change<C extends Cell>({ id }: C, patch: PatchOf<C>, label: string): void {
    const cell = this.cell(id);
    if (cell === undefined) return;
    const fields = cell as unknown as Record<string, unknown>;
    const before = Object.fromEntries(
      Object.keys(patch).map((key) => [key, $state.snapshot(fields[key])]),
    );
    this.#do({
      label,
      key: `${id}:${Object.keys(patch).join()}`,
      redo: () => this.#cells.patch(id, patch),
      undo: () => this.#cells.patch(id, before),
    });
  }

  /** Text being typed: saved, but taken back by its editor, not by the cell history. */
  type<C extends Cell>({ id }: C, patch: PatchOf<C>): void {
    if (!this.#refuses()) this.#cells.patch(id, patch);
  }

  /** @returns why the name cannot be used, or undefined when it was */
  renameCell(id: string, name: string): string | undefined {
    const wanted = name.trim();
    if (wanted !== "" && !/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(wanted))
      return "A letter first, then letters, digits, _ or -";
    const other = wanted === "" ? undefined : cellNamed(this, wanted);
    if (other !== undefined && other.id !== id) return `Another cell is called ${wanted}`;
    const before = this.cell(id)?.name;
    this.#do({
      label: "Rename cell",
      redo: () => this.#rename(id, wanted === "" ? undefined : wanted),
      undo: () => this.#rename(id, before),
    });
    return undefined;
  }

  /** Leaves the cursor where it is. */
  forgetAdded(): void {
    this.#cells.justAdded = undefined;
  }

  select(id: string | undefined): void {
    this.#cells.selected = id;
  }

  /** Selects the cell so many places further down (or up). */
  step(by: number): void {
    const index = Math.max(
      0,
      Math.min(this.cells.length - 1, this.#cells.indexOf(this.selected) + by),
    );
    this.select(this.cells[index]?.id);
  }

  #do(step: { label: string; key?: string; redo(): void; undo(): void }): void {
    if (this.#refuses()) return;
    step.redo();
    this.history.push(step);
  }

  /** A shared copy is changed by nothing and nobody. */
  #refuses(): boolean {
    if (this.readOnly) this.onRefused();
    return this.readOnly;
  }

  /** What cells answered knows the ones they used by their new names, too. */
  #rename(id: string, name: string | undefined): void {
    const from = this.cell(id)?.name;
    const users = this.#cells.rename(id, name);
    if (from === undefined || name === undefined) return;
    for (const user of users) this.outputs.rename(user.id, from, name);
  }

  #touched(cell: Cell | undefined): void {
    this.edits++;
    this.onChange(cell);
  }
}
