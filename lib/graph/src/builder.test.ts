import { expect, it } from "vitest";
import { GraphBuilder } from "./builder.ts";

function createBuilder() {
  const g = new GraphBuilder("test");
  return { g, x: g.input("x", "float32", ["batch", 4]) };
}

it("names nodes by place, operator and label, and knows what they give", () => {
  const { g, x } = createBuilder();
  const at = g.at("layers.0").at("mlp");
  const y = at.op("Add", [x, x], { label: "twice" });
  const z = at.op("Shape", [y]);
  expect([y, z]).toMatchObject([
    { name: "/layers.0/mlp/Add.twice:0", dtype: "float32", shape: ["batch", 4] },
    { name: "/layers.0/mlp/Shape:0", dtype: "int64", shape: [2], contents: ["batch", 4] },
  ]);
  expect(g.build().nodes.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["/layers.0/mlp/Add.twice", ["x", "x"]],
    ["/layers.0/mlp/Shape", ["/layers.0/mlp/Add.twice:0"]],
  ]);
});

it.each<[string, (given: ReturnType<typeof createBuilder>) => unknown]>([
  ["/a/Add", ({ g, x }) => [1, 2].map(() => g.at("a").op("Add", [x, x]))],
  ["x", ({ g }) => g.input("x", "float32", [1])],
  ["w", ({ g }) => [1, 2].map(() => g.initializer(initializer("w")))],
  ["y", ({ g, x }) => [1, 2].map(() => g.output("y", x))],
])("refuses a second %s", (name, build) => {
  expect(() => build(createBuilder())).toThrow(`graph test: the name ${name} is used twice`);
});

it("stores equal constants once, and tells apart equal numbers of other types and shapes", () => {
  const { g } = createBuilder();
  g.constant("int64", [1, 2]);
  g.constant("int64", [1, 2]);
  g.constant("float32", [1, 2]);
  g.constant("int64", [1, 2], [2, 1]);
  expect(g.build().initializers.size).toBe(3);
});

it("leaves out optional inputs and numbers several outputs", () => {
  const { g, x } = createBuilder();
  const parts = g.ops("Split", [x, g.constant("int64", [1, 3])], 2, { attributes: { axis: -1 } });
  expect(parts).toMatchObject([
    { name: "/Split:0", shape: ["batch", 1] },
    { name: "/Split:1", shape: ["batch", 3] },
  ]);
  const codes = { name: "codes", dtype: "int8", shape: [4, 2], load } as const;
  const scales = { name: "scales", dtype: "float32", shape: [2], load } as const;
  const bias = g.constant("float32", [0, 1]);
  const inputs = [x, g.initializer(codes), g.initializer(scales), undefined, bias];
  g.op("DynamicQuantizeMatMul", inputs);
  expect(g.build().nodes.at(-1)!.inputs).toEqual(["x", "codes", "scales", "", bias.name]);
});

it("refuses a wrong shape at the line that makes it, with place, operator and shapes", () => {
  const { g, x } = createBuilder();
  const at = g.at("layers.3").at("attention");
  function line() {
    return at.op("MatMul", [x, g.constant("float32", [1, 2, 3], [3, 1])], { label: "past" });
  }
  const error = caught(line);
  expect(error).toMatchObject({
    code: "layout",
    subject: "/layers.3/attention/MatMul.past",
    message:
      "graph test: /layers.3/attention/MatMul.past: MatMul of float32 (batch,4), float32 (3,1): want a right matrix with 4 rows, got 3",
  });
  expect(error.stack).toMatch(/at line \(.*builder\.test\.ts/);
  // Nothing of it stays.
  expect(g.build().nodes).toEqual([]);
});

it("holds a value to the shape that the model's code says", () => {
  const { x } = createBuilder();
  expect(x.is("batch", 4)).toBe(x);
  function line() {
    return x.is("batch", 5);
  }
  const error = caught(line);
  expect(error).toMatchObject({
    code: "layout",
    message: "graph test: x: want shape (batch,5), got (batch,4)",
  });
  expect(error.stack).toMatch(/at line \(.*builder\.test\.ts/);
  expect(() => x.is("batch")).toThrow("want shape (batch), got (batch,4)");
});

it("goes on with a graph, which stays as it is", () => {
  const { g, x } = createBuilder();
  g.stage("first", g.at("layers.0").op("Add", [x, x]));
  g.endBlock(g.value("/layers.0/Add:0"));
  g.output("y", x);
  const before = g.build();

  const more = GraphBuilder.on(before);
  const sum = more.value("/layers.0/Add:0").is("batch", 4);
  more.output("z", more.at("layers.1").op("Mul", [sum, more.value("x")]));
  expect(more.build().outputs).toEqual([
    { name: "y", dtype: "float32", shape: ["batch", 4] },
    { name: "z", dtype: "float32", shape: ["batch", 4] },
  ]);
  expect(more.build()).toMatchObject({ stages: before.stages, blocks: ["/layers.0/Add:0"] });
  expect(before.outputs).toHaveLength(1);
  expect(() => more.at("layers.0").op("Add", [sum, sum])).toThrow("/layers.0/Add is used twice");
  expect(() => more.value("nowhere")).toThrow("want a value of the graph, got the name nowhere");
});

function caught(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("want an error, got none");
}

const load = async () => new Uint8Array(8);

function initializer(name: string) {
  return { name, dtype: "float32", shape: [1], load: async () => new Uint8Array(4) } as const;
}
