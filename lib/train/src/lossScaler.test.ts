import { expect, test } from "vitest";
import { initialLossScale, nextLossScale, unscale } from "./lossScaler.ts";

test("gradients are divided by the scale", () => {
  const gradient = Float32Array.of(65_536, -131_072, 1);
  expect(unscale([gradient], initialLossScale)).toBe(true);
  expect([...gradient]).toEqual([1, -2, 1 / 65_536]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  "%d among them means the step is to be skipped",
  (value) => {
    expect(unscale([Float32Array.of(1), Float32Array.of(1, value)], initialLossScale)).toBe(false);
  },
);

test("the scale doubles after 2000 steps without overflow and halves at one", () => {
  let scale = initialLossScale;
  for (let step = 1; step < 2000; step++) scale = nextLossScale(scale, true);
  expect(scale).toEqual({ scale: 65_536, cleanSteps: 1999 });
  scale = nextLossScale(scale, true);
  expect(scale).toEqual({ scale: 131_072, cleanSteps: 0 });
  expect(nextLossScale({ scale: 131_072, cleanSteps: 1500 }, false)).toEqual(initialLossScale);
});
