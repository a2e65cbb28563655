import { cellSchema, freeName, type Cell, type CellType } from "tinygptv/notebook";
import { newId } from "./newId.ts";

/** Names people read in `{{…}}`; numbered where taken. */
const baseNames: Partial<Record<CellType, string>> = {
  picture: "picture",
  prompt: "answer",
  sweep: "sweep",
  compare: "comparison",
  evaluate: "evaluation",
};

/** What a fresh cell of a type starts with. */
const beginnings: Record<CellType, object> = {
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
  chart: {},
};

/** @param picture name of the picture above, which a question cell asks about */
export function newCell(
  type: CellType,
  others: readonly Cell[],
  picture: string | undefined,
): Cell {
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
  return cellSchema.parse({
    type,
    id: newId(),
    ...name,
    ...beginnings[type],
    ...(asksAPicture && { pictures: [picture] }),
  });
}
