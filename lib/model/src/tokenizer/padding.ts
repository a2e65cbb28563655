/** Token lists of equal length, and which of their entries are real. */
export interface PaddedBatch {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
}

export interface PaddingOptions {
  readonly side: "left" | "right";
  readonly padId: number;
  /** Longer lists lose their end. */
  readonly maxLength?: number;
}

/**
 * Pads a batch to its longest list, as the reference's tokenizer does. The
 * runtime needs no padding; `verify` checks the tokenizer fixtures with it.
 */
export function padBatch(
  rows: readonly (readonly number[])[],
  { side, padId, maxLength = Infinity }: PaddingOptions,
): PaddedBatch {
  const kept = rows.map((row) => row.slice(0, maxLength));
  const length = Math.max(0, ...kept.map((row) => row.length));
  const pad = (row: readonly number[], filler: number) => {
    const padding = Array.from({ length: length - row.length }, () => filler);
    return side === "left" ? [...padding, ...row] : [...row, ...padding];
  };
  return {
    inputIds: kept.map((row) => pad(row, padId)),
    attentionMask: kept.map((row) =>
      pad(
        row.map(() => 1),
        0,
      ),
    ),
  };
}
