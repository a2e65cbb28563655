import { SvelteMap } from "svelte/reactivity";
import { folded, outputRenamed, settled, shownOutput, withOutput } from "@tinygptv/notebook";
import type { KeptOutputs, Output } from "@tinygptv/notebook";

/** What has to be written after a cell's outputs changed. */
export interface OutputChange {
  cellId: string;
  saved: readonly Output[];
  /** Starts of those that are no longer kept. */
  gone: readonly string[];
  shown: string;
}

/** All outputs of the cells of a notebook; where one is asked for, it is the one shown. */
export class Outputs {
  readonly #kept = new SvelteMap<string, KeptOutputs>();
  /** As they were when they were last told. */
  readonly #told = new Map<string, KeptOutputs>();
  /** Told of every change that is to be kept. */
  onChange: (change: OutputChange) => void = () => {};

  get = (cellId: string): Output | undefined => {
    const kept = this.#kept.get(cellId);
    return kept && shownOutput(kept);
  };

  has(cellId: string): boolean {
    return this.#kept.has(cellId);
  }

  kept(cellId: string): KeptOutputs | undefined {
    return this.#kept.get(cellId);
  }

  /** The one shown with the others in it, as files have them. */
  whole = (cellId: string): Output | undefined => {
    const kept = this.#kept.get(cellId);
    return kept && folded(kept);
  };

  /** Cells that have any. */
  cells(): string[] {
    return [...this.#kept.keys()];
  }

  /** Shows a later state of an output that is still being made. */
  grow(cellId: string, output: Output): void {
    this.#kept.set(cellId, withOutput(this.#kept.get(cellId), output));
  }

  /**
   * Keeps an output that is complete, or as far as it came.
   * @param before start of the one that was shown when it began
   */
  finish(cellId: string, output: Output, before: string | undefined): void {
    this.#change(cellId, settled(withOutput(this.#kept.get(cellId), output), before));
  }

  show(cellId: string, at: string | undefined): void {
    const kept = this.#kept.get(cellId);
    if (at !== undefined && kept?.outputs.some((output) => output.at === at))
      this.#change(cellId, { ...kept, shown: at });
  }

  /** Takes over what was kept before. */
  load(cellId: string, kept: KeptOutputs): void {
    this.#kept.set(cellId, kept);
    this.#told.set(cellId, kept);
  }

  /** A picture cell they were made with got another name. */
  rename(cellId: string, from: string, to: string): void {
    const kept = this.#kept.get(cellId);
    if (kept === undefined) return;
    const outputs = kept.outputs.map((output) => outputRenamed(output, from, to));
    this.#change(cellId, { ...kept, outputs });
  }

  clear(): void {
    this.#kept.clear();
    this.#told.clear();
  }

  #change(cellId: string, kept: KeptOutputs): void {
    const before = this.#told.get(cellId)?.outputs ?? [];
    this.#kept.set(cellId, kept);
    this.#told.set(cellId, kept);
    this.onChange({
      cellId,
      saved: kept.outputs.filter((output) => !before.includes(output)),
      gone: before.flatMap(({ at }) => (kept.outputs.some((one) => one.at === at) ? [] : [at])),
      shown: kept.shown,
    });
  }
}
