import { cellSchema, freeName } from "@tinygptv/notebook";
import type { Cell, EvaluationItem } from "@tinygptv/notebook";
import { newId } from "#lib/notebook/newId.ts";

/** A comparison of a level with what was trained over it, about the first question that was learnt. */
export function comparisonOf(
  before: string,
  trained: string,
  item: EvaluationItem | undefined,
  others: readonly Cell[],
): Cell {
  return cellSchema.parse({
    type: "compare",
    id: newId(),
    name: freeName(
      "comparison",
      others.map(({ name }) => name),
    ),
    pictures: item?.pictures ?? [],
    rounds: [item?.prompt ?? ""],
    ...(item?.task !== undefined && { task: item.task }),
    columns: [
      { label: "before", model: before },
      { label: "trained", model: trained },
    ],
    decoding: { maxNewTokens: 64 },
  });
}
