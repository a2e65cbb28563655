import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adamWStep, initialMoments } from "../adamw.ts";
import { stateOfStep } from "./testing/stateOfStep.ts";
import { loadState, saveState, type Progress } from "./trainingState.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv-states-"));
});
afterEach(() => rm(folder, { recursive: true }));

const progress: Progress = {
  step: 3,
  epoch: 1,
  seed: 42,
  mixture: { sets: { mine: { seen: [1, 0.1, "x", null] } } },
  bestLoss: 0.1 + 0.2,
  lossScale: { scale: 32_768, cleanSteps: 5 },
  settings: { rank: 4 },
};

test("a state comes back bit for bit, numbers that no text has included", async () => {
  const words = Uint32Array.of(0x7fc0_1234, 0x8000_0000, 0x0000_0001, 0x7f80_0000, 0x3eaa_aaab, 0);
  const parameters = [
    { name: "phi.norm.weight", shape: [6], values: new Float32Array(words.buffer) },
    { name: "mapping.fc1.weight", shape: [2, 1], values: Float32Array.of(0.1, -2) },
  ];
  const moments = initialMoments(parameters);
  moments.get("mapping.fc1.weight")!.step = 2;
  moments.get("mapping.fc1.weight")!.second.set([1e-30, 7]);
  await saveState(folder, { parameters, moments, progress }, 1);

  const { state, damaged } = (await loadState(folder))!;
  expect(damaged).toEqual([]);
  expect(state.progress).toEqual(progress);
  expect(state.moments).toEqual(moments);
  expect(state.parameters.map(({ name, shape }) => [name, shape])).toEqual(
    parameters.map(({ name, shape }) => [name, shape]),
  );
  expect([...bits(state.parameters[0]!.values)]).toEqual([...words]);
});

test("a training that is stopped and goes on equals one that is not, bit for bit", async () => {
  const start = () => [
    { name: "mapping.fc1.weight", shape: [2, 3], values: Float32Array.of(1, -2, 3, 0.5, 0, 9) },
    { name: "phi.norm.weight", shape: [2], values: Float32Array.of(1, 1) },
  ];
  const train = (
    { parameters, moments }: Pick<ReturnType<typeof stateOfStep>, "parameters" | "moments">,
    steps: readonly number[],
  ) => {
    for (const step of steps) {
      const gradients = new Map(
        parameters.map(({ name, values }) => [name, values.map((x) => Math.sin(x * step))]),
      );
      adamWStep(parameters, gradients, moments, { rate: 0.01 / step, weightDecay: 0.05 });
    }
  };
  const whole = { parameters: start(), moments: initialMoments(start()) };
  train(whole, [1, 2, 3, 4, 5, 6]);
  const half = { parameters: start(), moments: initialMoments(start()) };
  train(half, [1, 2, 3]);
  await saveState(folder, { ...half, progress }, 1);
  const { state } = (await loadState(folder))!;
  train(state, [4, 5, 6]);
  expect(state.parameters).toEqual(whole.parameters);
  expect(state.moments).toEqual(whole.moments);
});

test("the last ones stay, as many as are asked for", async () => {
  for (const step of [1, 2, 3, 4]) await saveState(folder, stateOfStep(step), 2);
  expect((await readdir(folder)).toSorted()).toEqual(["state-000003", "state-000004"]);
  await saveState(folder, stateOfStep(5), 1);
  expect(await readdir(folder)).toEqual(["state-000005"]);
  expect((await loadState(folder))!.state).toEqual(stateOfStep(5));
});

test("where nothing was saved there is nothing to go on from", async () => {
  expect(await loadState(folder)).toBeUndefined();
  expect(await loadState(join(folder, "missing"))).toBeUndefined();
});

describe("a damaged state", () => {
  beforeEach(async () => {
    for (const step of [1, 2]) await saveState(folder, stateOfStep(step), 2);
  });
  const newest = (name: string) => join(folder, "state-000002", name);

  test.each([
    ["cut tensors", () => truncate(newest("tensors.safetensors"), 1000), "sha256"],
    ["a changed number", () => flip(newest("tensors.safetensors")), "sha256"],
    ["missing tensors", () => rm(newest("tensors.safetensors")), "no such file"],
    ["words cut short", () => truncate(newest("state.json"), 50), "want JSON"],
    ["words of another program", () => writeFile(newest("state.json"), "{}"), "formatVersion"],
    ["missing words", () => rm(newest("state.json")), "no such file"],
  ])("(%s) gives way to the one before, and is told", async (_, damage, problem) => {
    await damage();
    const loaded = (await loadState(folder))!;
    expect(loaded.state).toEqual(stateOfStep(1));
    expect(loaded.damaged).toHaveLength(1);
    expect(loaded.damaged[0]).toContain("state-000002");
    expect(loaded.damaged[0]).toContain(problem);
    // What comes next is newer than the damaged one.
    await saveState(folder, stateOfStep(7), 2);
    expect((await loadState(folder))!.state).toEqual(stateOfStep(7));
  });

  test("is an error where there is no other", async () => {
    await rm(join(folder, "state-000001"), { recursive: true });
    await flip(newest("tensors.safetensors"));
    await expect(loadState(folder)).rejects.toThrow("got only damaged ones");
  });
});

test("killed at any moment of a save, a run goes on from the last state it told of or a newer one", async () => {
  let told = 0;
  for (let round = 0; round < 6; round++) {
    const script = new URL("testing/saveForever.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      told = Number(text.trim().split("\n").at(-1));
    });
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    child.kill("SIGKILL");
    await once(child, "close");

    const loaded = (await loadState(folder))!;
    expect(loaded.damaged).toEqual([]);
    const { step } = loaded.state.progress;
    expect(step).toBeGreaterThanOrEqual(told);
    expect(loaded.state).toEqual(stateOfStep(step));
  }
  // What was half written is gone with the next save.
  await saveState(folder, stateOfStep(1), 2);
  expect((await readdir(folder)).filter((name) => !/^state-\d{6}$/.test(name))).toEqual([]);
});

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(path, bytes);
}

const bits = (values: Float32Array) =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);
