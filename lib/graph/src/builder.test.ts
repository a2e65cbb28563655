import { expect, it } from "vitest";
import { GraphBuilder } from "./builder.ts";

function createBuilder() {
  const g = new GraphBuilder("test");
  return { g, x: g.input("x", "float32", ["batch", 4]) };
}

it("names nodes by place, operator and label, and passes on the element type", () => {
  const { g, x } = createBuilder();
  const at = g.at("layers.0").at("mlp");
  const y = at.op("Add", [x, x], { label: "twice" });
  const z = at.op("Shape", [y], { dtype: "int64" });
  expect([y, z]).toEqual([
    { name: "/layers.0/mlp/Add.twice:0", dtype: "float32" },
    { name: "/layers.0/mlp/Shape:0", dtype: "int64" },
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
  ["y", ({ g, x }) => [1, 2].map(() => g.output("y", x, [1]))],
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
  const outputs = g.ops("Split", [x, undefined, x], 2, { attributes: { axis: -1 } });
  expect(outputs.map(({ name }) => name)).toEqual(["/Split:0", "/Split:1"]);
  expect(g.build().nodes[0]!.inputs).toEqual(["x", "", "x"]);
});

function initializer(name: string) {
  return { name, dtype: "float32", shape: [1], load: async () => new Uint8Array(4) } as const;
}
