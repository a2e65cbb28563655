import type { Session, SessionTensor } from "@tinygptv/graph/session";
import type { PhiConfig } from "@tinygptv/model";
import { expect, it } from "vitest";
import { findRowCounts } from "./rowCounts.ts";

const config: PhiConfig = {
  width: 4,
  numLayers: 1,
  numHeads: 2,
  headDim: 2,
  rotaryDim: 2,
  ropeTheta: 10000,
  mlpWidth: 8,
  vocabSize: 3,
  layerNormEps: 1e-5,
  postNormEps: 1e-6,
  contextLength: 16,
};

/** A graph whose result for a row of a pass is its kernel's; how kernels share out the rows is given. */
function sessionOf(kernels: (rows: number) => readonly string[]): Session {
  const result: Record<string, number> = { tile: 1, rest: 1 + 2 ** -20 };
  return {
    inputs: [],
    outputs: [],
    async run(feeds: Readonly<Record<string, SessionTensor>>) {
      const used = kernels(feeds.inputs_embeds!.shape[0]!);
      const values = used.flatMap((name) => [0, result[name]!, 2]);
      // Rounded before the last layer, the difference does not show there.
      return {
        logits: Float32Array.from(values, Math.round),
        "value.0": Float32Array.from(values),
      };
    },
    release: async () => {},
  };
}

/** Rows in tiles of a size, then what is left over. */
const tilesOf = (size: number) => (rows: number) =>
  Array.from({ length: rows }, (_, row) => (row < rows - (rows % size) ? "tile" : "rest"));

it.each<[string, (rows: number) => readonly string[], number[]]>([
  ["every row alike", (rows) => Array<string>(rows).fill("tile"), [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [
    "a row by itself otherwise",
    (rows) => Array<string>(rows).fill(rows === 1 ? "rest" : "tile"),
    [2, 2, 3, 4, 5, 6, 7, 8, 9],
  ],
  ["rows by twos", tilesOf(2), [2, 2, 4, 4, 6, 6, 8, 8, 10]],
  ["rows by fours", tilesOf(4), [4, 4, 4, 4, 8, 8, 8, 8, 12]],
  ["rows by eights", tilesOf(8), [8, 8, 8, 8, 8, 8, 8, 8, 16]],
])("where kernels compute %s", async (_, kernels, padded) => {
  const counts = await findRowCounts(sessionOf(kernels), config);
  expect(counts.sharing).toBe(true);
  expect(padded.map((_count, i) => counts.padded(i + 1))).toEqual(padded);
  // A prompt's chunk is never changed.
  expect(counts.padded(32)).toBe(32);
});

it("lets no rows share a pass where they share a range", async () => {
  const session: Session = {
    ...sessionOf(() => []),
    async run({ inputs_embeds }: Readonly<Record<string, SessionTensor>>) {
      const embeds = inputs_embeds!.data as Float32Array;
      const step = (Math.max(...embeds) - Math.min(...embeds)) / 255;
      const rounded = embeds.map((value) => Math.round(value / step) * step);
      return { logits: rounded, "value.0": rounded };
    },
  };
  expect(await findRowCounts(session, config)).toMatchObject({ sharing: false });
});

it("lets no rows share a pass where no count computes them alike", async () => {
  const byPlace = (rows: number) =>
    Array.from({ length: rows }, (_, row) => (row === 3 ? "rest" : "tile"));
  expect(await findRowCounts(sessionOf(byPlace), config)).toMatchObject({ sharing: false });
});
