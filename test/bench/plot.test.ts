import { expect, it } from "vitest";
import { lineChart } from "./plot.ts";

const chart = (y: number) =>
  lineChart({
    title: "a < b",
    xLabel: "x",
    yLabel: "y",
    series: [
      {
        name: "one",
        points: [
          [1, y],
          [4, 2 * y],
        ],
      },
    ],
  });

it("draws zero at the bottom and the largest value within the frame", () => {
  for (const y of [0.003, 1, 47, 12_345]) {
    const heights = [...chart(y).matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)].map(([, cy]) =>
      Number(cy),
    );
    expect(heights).toHaveLength(2);
    const [low, high] = heights as [number, number];
    expect(312 - high).toBeCloseTo(2 * (312 - low), 0);
    expect(high).toBeGreaterThanOrEqual(36);
  }
});

it("escapes what it is told to write", () => {
  expect(chart(1)).toContain("a &lt; b");
});
