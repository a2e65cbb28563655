import type { Completion, CompletionSource } from "@codemirror/autocomplete";
import type { Cell, Output } from "@tinygptv/notebook";

/** Names of other cells and parts of their outputs, after `{{`. */
export const completeReferences =
  (options: () => readonly Completion[]): CompletionSource =>
  (context) => {
    const { state, pos } = context;
    const typed = context.matchBefore(/\{\{\s*[\w.-]*$/);
    if (typed === null) return null;
    const closing = /^\s*\}\}/.test(state.sliceDoc(pos, pos + 8)) ? "" : "}}";
    return {
      from: typed.from + (/^\{\{\s*/.exec(typed.text)?.[0].length ?? 0),
      options: options().map((option) => ({ ...option, apply: option.label + closing })),
      validFor: /^[\w.-]*$/,
    };
  };

/** What `cell` can refer to. */
export function referenceOptions(
  cells: readonly Cell[],
  cell: Cell,
  outputOf: (cell: Cell) => Output | undefined,
): Completion[] {
  return cells.flatMap((other) => {
    if (
      other.name === undefined ||
      other.id === cell.id ||
      other.type === "chart" ||
      other.type === "finetune"
    )
      return [];
    const runs = outputOf(other)?.runs ?? [];
    const own: Completion = { label: other.name, detail: detailOf(other) };
    const box = runs[0]?.answers.at(-1)?.boxes[0];
    const values =
      runs.length > 1 ? runs.length : (runs[0]?.answers.at(-1)?.hypotheses.length ?? 0);
    const parts = Array.from({ length: values < 2 ? 0 : values }, (_, i) => ({
      label: `${other.name}.${i + 1}`,
      detail: runs[i]?.label ?? `hypothesis ${i + 1}`,
    }));
    return [
      own,
      ...(box === undefined ? [] : [{ label: `${other.name}.box`, detail: "its first box" }]),
      ...parts,
    ];
  });
}

const detailOf = (cell: Cell): string =>
  cell.type === "picture" ? "the picture" : cell.type === "text" ? "the text" : "its answer";
