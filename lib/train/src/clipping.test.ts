import { expect, test } from "vitest";
import { clipGradients } from "./clipping.ts";

test("gradients above the norm are scaled down together", () => {
  const gradients = [Float32Array.of(3), Float32Array.of(0, 4)];
  expect(clipGradients(gradients, 1)).toBe(5);
  expect(gradients[0]![0]).toBeCloseTo(0.6, 6);
  expect(gradients[1]![1]).toBeCloseTo(0.8, 6);
});

test("gradients below it stay, and without one the norm is only told", () => {
  const gradients = [Float32Array.of(3, 4)];
  expect(clipGradients(gradients, 6)).toBe(5);
  expect(clipGradients(gradients)).toBe(5);
  expect([...gradients[0]!]).toEqual([3, 4]);
});
