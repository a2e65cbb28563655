/** One step of the cell history: how to take it back and how to do it again. */
export interface Step {
  label: string;
  undo(): void;
  redo(): void;
  /** Steps with the same key that follow quickly become one (a slider being dragged). */
  key?: string;
}

const maxSteps = 200;
const joinWithin = 800; // ms

/** Undo and redo of cell operations; text inside a cell has its editor's own. */
export class UndoStack {
  #done = $state.raw<Step[]>([]);
  #undone = $state.raw<Step[]>([]);
  #lastAt = -Infinity;

  get undoLabel(): string | undefined {
    return this.#done.at(-1)?.label;
  }

  get redoLabel(): string | undefined {
    return this.#undone.at(-1)?.label;
  }

  /** Remembers a step that has been done. */
  push(step: Step, now = performance.now()): void {
    const previous = this.#done.at(-1);
    const joined =
      step.key !== undefined && previous?.key === step.key && now - this.#lastAt < joinWithin;
    this.#lastAt = now;
    const kept = joined ? { ...step, undo: () => previous.undo() } : step;
    this.#done = [...(joined ? this.#done.slice(0, -1) : this.#done), kept].slice(-maxSteps);
    this.#undone = [];
  }

  /** Makes one step of all that is pushed during `work`. */
  group(label: string, work: () => void): void {
    const before = this.#done;
    this.#done = [];
    try {
      work();
    } finally {
      // Also of what was done before something was refused.
      const steps = this.#done;
      this.#done = before;
      this.#lastAt = -Infinity;
      if (steps.length > 0)
        this.push({
          label,
          redo: () => steps.forEach((step) => step.redo()),
          undo: () => steps.toReversed().forEach((step) => step.undo()),
        });
    }
  }

  undo(): void {
    const step = this.#done.at(-1);
    if (step === undefined) return;
    this.#done = this.#done.slice(0, -1);
    this.#undone = [...this.#undone, step];
    this.#lastAt = -Infinity;
    step.undo();
  }

  redo(): void {
    const step = this.#undone.at(-1);
    if (step === undefined) return;
    this.#undone = this.#undone.slice(0, -1);
    this.#done = [...this.#done, step];
    step.redo();
  }

  clear(): void {
    this.#done = [];
    this.#undone = [];
  }
}
