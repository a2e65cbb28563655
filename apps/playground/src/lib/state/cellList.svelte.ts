import { checkChange, dependencies, withRenamed } from "@tinygptv/notebook";
import type { Cell } from "@tinygptv/notebook";

/**
 * The cells of a notebook in their order, and which of them is selected. Its
 * methods change them for good: what can be taken back is up to the caller.
 */
export class CellList {
  list = $state<Cell[]>([]);
  selected = $state<string | undefined>();
  /** The cell a person added last: its text takes the cursor. One that undo or redo brought back does not. */
  justAdded = $state<string | undefined>();
  /** Told of every change with the cell it was in. */
  readonly #touched: (cell: Cell | undefined) => void;

  constructor(touched: (cell: Cell | undefined) => void) {
    this.#touched = touched;
  }

  find(id: string | undefined): Cell | undefined {
    return this.list.find((cell) => cell.id === id);
  }

  indexOf(id: string | undefined): number {
    return this.list.findIndex((cell) => cell.id === id);
  }

  /** The place below a cell; the end where there is none. */
  below(id: string | undefined): number {
    const index = this.indexOf(id);
    return index === -1 ? this.list.length : index + 1;
  }

  put(cell: Cell, at: number): void {
    this.list.splice(at, 0, cell);
    this.justAdded = undefined;
    this.selected = cell.id;
    this.#touched(cell);
  }

  take(id: string): void {
    const index = this.indexOf(id);
    if (index === -1) return;
    this.list.splice(index, 1);
    if (this.selected === id) this.selected = (this.list[index] ?? this.list[index - 1])?.id;
    this.#touched(undefined);
  }

  /** Another cell under the same id. */
  swap(cell: Cell): void {
    this.list[this.indexOf(cell.id)] = cell;
    this.#touched(cell);
  }

  shift(id: string, to: number): void {
    const [cell] = this.list.splice(this.indexOf(id), 1);
    if (cell !== undefined) this.list.splice(to, 0, cell);
    this.#touched(undefined);
  }

  /**
   * `undefined` removes a field.
   * @throws TinyGptvError "parameter" where it would be no cell any more
   */
  patch(id: string, patch: object): void {
    const cell = this.find(id);
    if (cell === undefined) return;
    checkChange($state.snapshot<Cell>(cell), patch);
    const fields = cell as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(patch)) {
      if (value === undefined) delete fields[key];
      else fields[key] = structuredClone($state.snapshot(value));
    }
    this.#touched(cell);
  }

  /**
   * Cells that use this one know it by its new name.
   * @returns those cells
   */
  rename(id: string, name: string | undefined): Cell[] {
    const from = this.find(id)?.name;
    this.patch(id, { name });
    if (from === undefined || name === undefined) return [];
    const users = this.list.filter((cell) => dependencies(cell).includes(from));
    for (const cell of users) this.swap(withRenamed($state.snapshot<Cell>(cell), from, name));
    return users;
  }
}
