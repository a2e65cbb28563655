import { expect, it } from "vitest";
import { GraphBuilder, gradients } from "../../lib/graph/src/index.ts";
import { rules } from "../../lib/graph/src/gradients/rules.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { cases, distances } from "./centralDifferences.ts";

it("passes gradients back through every operator as small steps to either side say", async () => {
  const found = await distances((graph) => openSession({ graph }));
  const far = Object.entries(found).filter(([, distance]) => !(distance < 3e-4));
  expect(far).toEqual([]);
});

it("is tried with every rule there is", () => {
  const tried = new Set(Object.keys(cases).map((name) => name.split(".")[0]));
  expect([...rules.keys()].filter((op) => !tried.has(op))).toEqual(["Cast"]);
});

it("names an operator without a rule, and a parameter without a part", () => {
  const g = new GraphBuilder("small");
  const x = g.input("x", "float32", [3]);
  g.input("unused", "float32", [3]);
  g.output("y", g.at("place").op("Min", [x, x]));
  expect(() => gradients(g.build(), "y", ["x"])).toThrow(
    "graph small: /place/Min: Min has no gradient rule",
  );
  expect(() => gradients(g.build(), "y", ["unused"])).toThrow(
    "graph small: y does not depend on unused",
  );
});
