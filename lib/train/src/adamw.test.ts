import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openWeights } from "../../convert/src/checkpoint/folder.ts";
import { openSafetensors, stageName } from "@tinygptv/convert";
import { toFloat32 } from "@tinygptv/model";
import { adamWStep, initialMoments, isDecayed } from "./adamw.ts";
import type { Parameter } from "./parameter.ts";

const fixtures = new URL("../../../test/fixtures/", import.meta.url).pathname;

describe.each([
  ["micro-stage4", "TinyGPT-V_for_Stage4.pth"],
  ["micro-stage3", "TinyGPT-V_for_Stage3.pth"],
])("the reference's step on %s", (set, file) => {
  test("each parameter comes out within float32's rounding", async () => {
    const stage = await openWeights(`${fixtures}${set}/${file}`);
    const golden = await openSafetensors(`${fixtures}${set}/golden.safetensors`);
    const read = async (source: typeof golden, key: string) =>
      toFloat32(await source.read(key), "float32");
    const parameters: Parameter[] = [];
    const gradients = new Map<string, Float32Array>();
    const expected = new Map<string, Float32Array>();
    for (const name of golden.tensors.keys()) {
      const key = /^train\.grad\.(.*)$/.exec(name)?.[1];
      if (!key) continue;
      const ours = stageName(key)!;
      const { shape } = golden.tensors.get(name)!;
      parameters.push({ name: ours, shape, values: (await read(stage, key)).slice() });
      gradients.set(ours, await read(golden, name));
      expected.set(ours, await read(golden, `train.after.${key}`));
    }
    const { optimizer } = JSON.parse(readFileSync(`${fixtures}${set}/golden.json`, "utf8")).train;
    const options = { rate: optimizer.lr, weightDecay: optimizer.weight_decay };

    adamWStep(parameters, gradients, initialMoments(parameters), options);

    expect(parameters).toHaveLength(21);
    for (const { name, values } of parameters)
      for (const [i, value] of values.entries())
        expect(Math.abs(value - expected.get(name)![i]!), `${name}[${i}]`).toBeLessThan(1.2e-7);
  });
});

test("moments are corrected, decay is apart from the gradient: three steps against the formulas", () => {
  const [rate, decay, beta1, beta2, epsilon] = [0.01, 0.1, 0.8, 0.9, 1e-6];
  const parameter = matrix("mapping.fc1.weight", [0.5, -2]);
  const state = initialMoments([parameter]);
  const want = [0.5, -2];
  const [m, v] = [
    [0, 0],
    [0, 0],
  ];
  for (let step = 1; step <= 3; step++) {
    const gradient = [0.3 * step, -0.01 / step];
    for (const [i, g] of gradient.entries()) {
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      const mean = m[i] / (1 - beta1 ** step);
      const square = v[i] / (1 - beta2 ** step);
      want[i] = want[i]! * (1 - rate * decay) - (rate * mean) / (Math.sqrt(square) + epsilon);
    }
    const gradients = new Map([[parameter.name, Float32Array.from(gradient)]]);
    const options = { rate, weightDecay: decay, betas: [beta1, beta2] as const, epsilon };
    adamWStep([parameter], gradients, state, options);
  }
  for (const [i, value] of want.entries()) expect(parameter.values[i]).toBeCloseTo(value, 6);
});

test("what is copied of the state goes on bit for bit", () => {
  const gradients = new Map([["mapping.fc1.weight", Float32Array.of(0.1, 0.7)]]);
  const options = { rate: 1e-2, weightDecay: 0.05 };
  const one = matrix("mapping.fc1.weight", [1, 2]);
  const state = initialMoments([one]);
  adamWStep([one], gradients, state, options);
  const other = { ...one, values: one.values.slice() };
  const copy = structuredClone(state);
  for (let i = 0; i < 5; i++) adamWStep([one], gradients, state, options);
  for (let i = 0; i < 5; i++) adamWStep([other], gradients, copy, options);
  expect(other.values).toEqual(one.values);
  expect(copy).toEqual(state);
});

test("a tensor that no gradient reached is left alone, its step count too", () => {
  const [seen, unseen] = [
    matrix("mapping.fc1.weight", [1, 2]),
    matrix("mapping.fc2.weight", [3, 4]),
  ];
  const state = initialMoments([seen, unseen]);
  const gradients = new Map([[seen.name, Float32Array.of(1, 1)]]);
  adamWStep([seen, unseen], gradients, state, { rate: 0.1, weightDecay: 0.5 });
  expect([...unseen.values]).toEqual([3, 4]);
  expect(state.get(unseen.name)!.step).toBe(0);
  expect(state.get(seen.name)!.step).toBe(1);
});

test.each([
  ["phi.layers.0.attention.qkv.loraA", [4, 80], true],
  ["mapping.fc1.weight", [40, 36], true],
  ["mapping.fc1.bias", [40], false],
  ["phi.layers.0.attention.queryNorm.weight", [20], false],
  // "ln" is in the published name alone: ln_vision.
  ["vision.norm.weight", [2, 2], false],
])("%s %j decays: %s", (name, shape, decays) => {
  expect(isDecayed({ name, shape, values: new Float32Array() })).toBe(decays);
});

describe("what does not fit is refused by name", () => {
  const parameter = matrix("mapping.fc1.weight", [1, 2]);
  const step = (name: string, length: number, state = initialMoments([parameter])) =>
    adamWStep([parameter], new Map([[name, new Float32Array(length)]]), state, {
      rate: 1,
      weightDecay: 0,
    });
  test("a gradient of nothing", () => {
    expect(() => step("mapping.fc3.weight", 2)).toThrow(
      "mapping.fc3.weight: want no gradient, got 2",
    );
  });
  test("a gradient of another length", () => {
    expect(() => step(parameter.name, 3)).toThrow(
      "mapping.fc1.weight: want a gradient of 2 numbers, got 3",
    );
  });
  test("a parameter without moments", () => {
    expect(() => step(parameter.name, 2, new Map())).toThrow(
      "mapping.fc1.weight: want moments of 2 numbers, got none",
    );
  });
});

function matrix(name: string, values: readonly number[]): Parameter {
  return { name, shape: [1, values.length], values: Float32Array.from(values) };
}
