/** A session that gives way to one with places for adapters. */
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import { expect, it } from "vitest";
import { openPlain, type AdaptableSession } from "./adapter.ts";

const float = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const initializer = (name: string, shape: number[], ...values: number[]) => ({
  name,
  dtype: "float32" as const,
  shape,
  load: async () => float(...values),
});
/** Weights alone, as an adapter's folder has them. */
const weights = (...all: ReturnType<typeof initializer>[]): Graph => ({
  name: "adapter",
  inputs: [],
  outputs: [],
  nodes: [],
  initializers: new Map(all.map((one) => [one.name, one])),
  stages: new Map(),
  blocks: [],
});

/** Sessions that say what they are run with, in a world where it is written down which are open. */
function world({ keepsPlain = false, fails = 0 } = {}) {
  const open = new Set<string>();
  let most = 0;
  const session = (kind: string): Session => {
    open.add(kind);
    most = Math.max(most, open.size);
    return {
      inputs: [{ name: "x", shape: [1] }],
      outputs: [{ name: "y", shape: [1] }],
      async run(feeds) {
        if (!open.has(kind)) throw new Error(`${kind} was released`);
        const norm = feeds["norm"] && "data" in feeds["norm"] ? Number(feeds["norm"].data[0]) : 0;
        return { y: Float32Array.of(norm) };
      },
      async release() {
        await new Promise(setImmediate);
        open.delete(kind);
      },
    };
  };
  let left = fails;
  const adaptable = async (): Promise<AdaptableSession> => {
    await new Promise(setImmediate);
    if (left-- > 0) throw new Error("too little memory");
    const port = { name: "norm", dtype: "float32" as const, shape: [1] };
    return {
      session: session("adaptable"),
      places: new Map([["norm", { port, without: initializer("norm", [1], 1) }]]),
    };
  };
  return {
    open: () => [...open].toSorted(),
    most: () => most,
    plain: () => openPlain(async () => session("plain"), adaptable, keepsPlain),
  };
}
const x = { x: { dtype: "float32" as const, shape: [1], data: Float32Array.of(0) } };

it("is open once: the other takes its place, and runs with what the model has", async () => {
  const { open, most, plain } = world();
  const session = await plain();
  expect(await session.run(x, ["y"])).toEqual({ y: Float32Array.of(0) });
  const [beside, meanwhile] = await Promise.all([
    session.beside(weights(initializer("norm", [1], 7)), "adapters/a"),
    session.run(x, ["y"]),
  ]);
  expect(meanwhile.y![0]).toBe(1);
  expect((await beside.run(x, ["y"])).y![0]).toBe(7);
  expect((await session.run(x, ["y"])).y![0]).toBe(1);
  expect([open(), most()]).toEqual([["adaptable"], 1]);
  await session.release();
  expect(open()).toEqual([]);
});

it("stays beside it where it is small, and is what runs without an adapter", async () => {
  const { open, plain } = world({ keepsPlain: true });
  const session = await plain();
  const beside = await session.beside(weights(), "adapters/a");
  expect((await session.run(x, ["y"])).y![0]).toBe(0);
  expect((await beside.run(x, ["y"])).y![0]).toBe(1);
  expect(open()).toEqual(["adaptable", "plain"]);
  await session.release();
  expect(open()).toEqual([]);
});

it("is opened again where the other cannot be, and that is tried again", async () => {
  const { open, plain } = world({ fails: 1 });
  const session = await plain();
  const asked = session.beside(weights(), "adapters/a");
  await expect(asked).rejects.toThrow("too little memory");
  expect((await session.run(x, ["y"])).y![0]).toBe(0);
  await session.beside(weights(), "adapters/a");
  expect(open()).toEqual(["adaptable"]);
});

it("refuses weights that have no place, or another shape there, by name", async () => {
  const session = await world().plain();
  const put = (...all: ReturnType<typeof initializer>[]) =>
    session.beside(weights(...all), "adapters/a");
  await expect(put(initializer("head", [1], 1))).rejects.toThrow(
    "adapters/a: want weights of the model it lies beside, got head",
  );
  await expect(put(initializer("norm", [2], 1, 2))).rejects.toThrow(
    "adapters/a: norm: want float32 [1] as the model has it, got float32 [2]",
  );
});
