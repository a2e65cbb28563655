import { cellSchema, freeName } from "@tinygptv/notebook";
import type { Cell, NewCellType } from "@tinygptv/notebook";
import { newId } from "./newId.ts";

/** Names people read in `{{…}}`; numbered where taken. */
const baseNames: Partial<Record<NewCellType, string>> = {
  picture: "picture",
  prompt: "answer",
  sweep: "sweep",
  compare: "comparison",
  evaluate: "evaluation",
  finetune: "tuned",
};

const measuring: readonly Cell["type"][] = ["sweep", "compare", "evaluate"];

/** What a fresh cell of a type starts with. */
const beginnings: Record<NewCellType, object> = {
  text: { source: "" },
  picture: {},
  prompt: { decoding: { maxNewTokens: 64 } },
  sweep: {
    axes: [{ parameter: "temperature", values: [0.2, 0.6, 1, 1.4] }],
    decoding: { maxNewTokens: 64 },
  },
  compare: {
    columns: [
      { label: "greedy", decoding: { method: "greedy" } },
      { label: "three beams", decoding: { numBeams: 3 } },
    ],
    decoding: { maxNewTokens: 64 },
  },
  evaluate: { decoding: { maxNewTokens: 64 } },
  finetune: {},
  chart: {},
};

/**
 * A question cell asks about the nearest picture above, a chart draws the nearest cell with numbers.
 * @param at its place among the others
 */
export function newCell(type: NewCellType, others: readonly Cell[], at: number): Cell {
  const above = others.slice(0, at).filter((cell) => cell.name !== undefined);
  const picture = above.findLast((cell) => cell.type === "picture")?.name;
  const source = above.findLast((cell) => measuring.includes(cell.type))?.name;
  const base = baseNames[type];
  const name =
    base === undefined
      ? {}
      : {
          name: freeName(
            base,
            others.map((cell) => cell.name),
          ),
        };
  const asksAPicture = picture !== undefined && ["prompt", "sweep", "compare"].includes(type);
  const examples = above.findLast((cell) => cell.type === "evaluate")?.name;
  const draws = source !== undefined && type === "chart";
  return cellSchema.parse({
    type,
    id: newId(),
    ...name,
    ...beginnings[type],
    ...(asksAPicture && { pictures: [picture] }),
    ...(draws && { source }),
    ...(type === "finetune" && examples !== undefined && { source: examples }),
  });
}
