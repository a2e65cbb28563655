import { describe, expect, test } from "vitest";
import { constantRate, learningRate, type Schedule } from "./schedule.ts";

/** The reference's own settings; expected rates computed by hand from its two formulas. */
const stages: Record<string, { schedule: Schedule; rates: [number, number, number][] }> = {
  "stage 1": {
    schedule: {
      start: 1e-6,
      peak: 1e-4,
      final: 8e-5,
      warmupSteps: 1000,
      epochs: 1,
      stepsPerEpoch: 5000,
    },
    rates: [
      [0, 0, 1e-6],
      [0, 500, 5.05e-5],
      [0, 999, 9.9901e-5],
      // Down from 1e-4: a fifth of the cosine is over. cos 36° = 0.809016994.
      [0, 1000, 9.809016994e-5],
      [0, 2500, 9e-5],
      [0, 4999, 8.00000019739e-5],
    ],
  },
  "stage 2": {
    schedule: {
      start: 1e-6,
      peak: 1e-4,
      final: 8e-5,
      warmupSteps: 5000,
      epochs: 4,
      stepsPerEpoch: 5000,
    },
    rates: [
      [0, 0, 1e-6],
      [0, 2500, 5.05e-5],
      [0, 4999, 9.99802e-5],
      // The warm-up is the first epoch. cos 45° = 0.707106781.
      [1, 0, 9.707106781e-5],
      [2, 0, 9e-5],
      [3, 4999, 8.00000001234e-5],
    ],
  },
  "stage 3": {
    schedule: {
      start: 1e-6,
      peak: 3e-5,
      final: 1e-5,
      warmupSteps: 200,
      epochs: 5,
      stepsPerEpoch: 200,
    },
    rates: [
      [0, 0, 1e-6],
      [0, 100, 1.55e-5],
      [0, 199, 2.9855e-5],
      [1, 0, 2.809016994e-5],
      [2, 100, 2e-5],
      [4, 199, 1.0000049348e-5],
    ],
  },
  "stage 4, whose rate rises": {
    schedule: {
      start: 1e-6,
      peak: 1e-5,
      final: 8e-5,
      warmupSteps: 1000,
      epochs: 50,
      stepsPerEpoch: 1000,
    },
    rates: [
      [0, 0, 1e-6],
      [0, 500, 5.5e-6],
      [0, 999, 9.991e-6],
      // 8e-5 - 3.5e-5 · (1 + cos 3.6°), cos 3.6° = 0.99802672843.
      [1, 0, 1.0069064505e-5],
      [25, 0, 4.5e-5],
      [49, 999, 7.9999999931e-5],
    ],
  },
};

for (const [stage, { schedule, rates }] of Object.entries(stages))
  test.each(rates)(`${stage}: the rate of epoch %i, step %i is %f`, (epoch, step, rate) => {
    expect(learningRate(schedule, epoch, step) / rate).toBeCloseTo(1, 9);
  });

describe("oddities of the reference", () => {
  test("a warm-up longer than an epoch starts again with each", () => {
    const saw = {
      start: 0,
      peak: 3e-4,
      final: 0,
      warmupSteps: 300,
      epochs: 4,
      stepsPerEpoch: 200,
    };
    expect(learningRate(saw, 0, 199)).toBeCloseTo(1.99e-4, 12);
    expect(learningRate(saw, 1, 0)).toBe(0);
    expect(learningRate(saw, 1, 99)).toBeCloseTo(0.99e-4, 12);
    // 300 of 800 steps: 1.5e-4 · (1 + cos 67.5°), cos 67.5° = 0.382683432.
    expect(learningRate(saw, 1, 100)).toBeCloseTo(2.074025148e-4, 12);
  });

  test("a falling warm-up never is: the peak bounds it", () => {
    const schedule = { ...stages["stage 1"]!.schedule, start: 2e-4 };
    expect(learningRate(schedule, 0, 10)).toBe(1e-4);
  });
});

test("a constant rate is one at every step", () => {
  const schedule = constantRate(3e-4, { epochs: 2, stepsPerEpoch: 7 });
  for (const [epoch, step] of [
    [0, 0],
    [0, 6],
    [1, 6],
  ] as const)
    expect(learningRate(schedule, epoch, step)).toBe(3e-4);
});
