import { quickDepth, type Depth } from "./dimensions.ts";
import { lineChart, type Series } from "./plot.ts";
import { median, type Samples } from "./statistics.ts";

/** Time per token against what grows it, as file name and SVG. */
export function growthCharts(samples: Samples, { layers }: Depth): [file: string, svg: string][] {
  const depth = layers === quickDepth.layers ? ` (${layers} layers)` : "";
  const along = (subject: string, kind: string, perToken: (x: number) => number): Series => ({
    name: subject,
    points: [...samples]
      .flatMap(([key, values]) => {
        const match = new RegExp(`^${subject} ${kind} (\\d+)$`).exec(key);
        if (!match) return [];
        const x = Number(match[1]);
        return [[x, median(values) / perToken(x)] as const];
      })
      .toSorted(([a], [b]) => a - b),
  });
  const measured = (series: Series[]) => series.filter(({ points }) => points.length > 0);
  return [
    [
      "time-per-token-context.svg",
      lineChart({
        title: `Time per token and context length${depth}`,
        xLabel: "positions before the token",
        yLabel: "milliseconds",
        series: measured([along("int4", "context", () => 1), along("Q4_0", "context", () => 1)]),
      }),
    ],
    [
      "time-per-token-batch.svg",
      lineChart({
        title: `Time per token and batch size${depth}`,
        xLabel: "sequences decoded together",
        yLabel: "milliseconds per token",
        series: measured(["int4", "auto"].map((name) => along(name, "batch", (x) => x))),
      }),
    ],
  ];
}
