/** Gradients of single operators beside what small steps to either side say. */
import { GraphBuilder, gradientName, gradients } from "../../lib/graph/src/index.ts";
import type { Graph, Value } from "../../lib/graph/src/index.ts";
import type { Session, SessionTensor } from "../../lib/graph/src/session.ts";
import { elementCount } from "../../lib/model/src/index.ts";
import { seeded } from "../../lib/runtime/src/parts.ts";

interface Case {
  /** Inputs that the gradient is wanted of, by name. */
  readonly shapes: Readonly<Record<string, number[]>>;
  readonly build: (g: GraphBuilder, inputs: Record<string, Value>) => Value;
}

const floats = (g: GraphBuilder, name: string, values: readonly number[], shape: number[]) =>
  g.initializer({
    name,
    dtype: "float32",
    shape,
    load: async () => new Uint8Array(Float32Array.from(values).buffer),
  });
const tables = (g: GraphBuilder) =>
  [Math.cos, Math.sin].map((f, i) =>
    floats(
      g,
      `table.${i}`,
      Array.from({ length: 12 }, (_, at) => f((at >> 1) / (1 + (at & 1)))),
      [6, 2],
    ),
  );
const positions = (g: GraphBuilder) => g.constant("int64", [0, 1, 2, 3, 2, 1], [2, 3]);
const norm = { axis: -1, epsilon: { float: 1e-5 } };

const codes = (g: GraphBuilder, bits: 4 | 8, width: number, out: number, size: number) => {
  const blocks = Math.ceil(width / size);
  const random = seeded(9);
  const bytes = Uint8Array.from({ length: (out * blocks * size * bits) / 8 }, () => random() * 256);
  const stored = g.initializer({
    name: "codes",
    dtype: "uint8",
    shape: [out, blocks, (size * bits) / 8],
    load: async () => bytes,
  });
  const scales = Array.from({ length: out * blocks }, () => (0.1 + random()) / 2 ** (bits - 1));
  return [stored, floats(g, "scales", scales, [out * blocks])] as const;
};
const quantized = (bits: 4 | 8, width: number): Case => ({
  shapes: { x: [3, width] },
  build: (g, { x }) =>
    g.op("MatMulNBits", [x!, ...codes(g, bits, width, 5, 16)], {
      attributes: { K: width, N: 5, bits, block_size: 16, accuracy_level: 0 },
    }),
});

/** Every operator with a rule, in the forms that differ. */
export const cases: Readonly<Record<string, Case>> = {
  Add: { shapes: { a: [2, 3, 4], b: [4] }, build: (g, { a, b }) => g.op("Add", [a!, b!]) },
  "Add.middle": {
    shapes: { a: [2, 1, 3, 4], b: [2, 5, 3, 4] },
    build: (g, { a, b }) => g.op("Add", [a!, b!]),
  },
  "Add.twice": { shapes: { a: [3] }, build: (g, { a }) => g.op("Add", [a!, a!]) },
  Sub: { shapes: { a: [4], b: [3, 4] }, build: (g, { a, b }) => g.op("Sub", [a!, b!]) },
  Mul: { shapes: { a: [2, 3], b: [1, 3] }, build: (g, { a, b }) => g.op("Mul", [a!, b!]) },
  Identity: { shapes: { a: [2, 3] }, build: (g, { a }) => g.op("Identity", [a!]) },
  Flatten: {
    shapes: { a: [2, 3, 4] },
    build: (g, { a }) => g.op("Flatten", [a!], { attributes: { axis: 2 } }),
  },
  Reshape: {
    shapes: { a: [2, 3, 4] },
    build: (g, { a }) => g.op("Reshape", [a!, g.constant("int64", [0, 12])]),
  },
  Squeeze: { shapes: { a: [2, 1, 4] }, build: (g, { a }) => g.op("Squeeze", [a!]) },
  Unsqueeze: {
    shapes: { a: [2, 4] },
    build: (g, { a }) => g.op("Unsqueeze", [a!, g.constant("int64", [1])]),
  },
  Transpose: {
    shapes: { a: [2, 3, 4] },
    build: (g, { a }) => g.op("Transpose", [a!], { attributes: { perm: [2, 0, 1] } }),
  },
  Expand: {
    shapes: { a: [1, 3] },
    build: (g, { a }) => g.op("Expand", [a!, g.constant("int64", [2, 4, 3])]),
  },
  Split: {
    shapes: { a: [2, 6] },
    build: (g, { a }) => {
      const sizes = g.constant("int64", [1, 2, 3]);
      const [first, , last] = g.ops("Split", [a!, sizes], 3, { attributes: { axis: -1 } });
      return g.op("Mul", [first!, last!]);
    },
  },
  Concat: {
    shapes: { a: [2, 3], b: [2, 1] },
    build: (g, { a, b }) => g.op("Concat", [a!, b!], { attributes: { axis: -1 } }),
  },
  Gather: {
    shapes: { a: [4, 3] },
    build: (g, { a }) =>
      g.op("Gather", [a!, g.constant("int64", [2, 0, 2])], { attributes: { axis: 0 } }),
  },
  GatherElements: {
    shapes: { a: [3, 5] },
    build: (g, { a }) =>
      g.op("GatherElements", [a!, g.constant("int64", [4, 0, 2], [3, 1])], {
        attributes: { axis: -1 },
      }),
  },
  ReduceSum: {
    shapes: { a: [2, 3, 4] },
    build: (g, { a }) =>
      g.op("ReduceSum", [a!, g.constant("int64", [0, 2])], { attributes: { keepdims: 1 } }),
  },
  "ReduceSum.dropped": {
    shapes: { a: [2, 3, 4] },
    build: (g, { a }) =>
      g.op("ReduceSum", [a!, g.constant("int64", [1])], { attributes: { keepdims: 0 } }),
  },
  MatMul: {
    shapes: { a: [2, 3, 4], b: [4, 5] },
    build: (g, { a, b }) => g.op("MatMul", [a!, b!]),
  },
  "MatMul.heads": {
    shapes: { a: [2, 2, 3, 4], b: [2, 2, 4, 3] },
    build: (g, { a, b }) => g.op("MatMul", [a!, b!]),
  },
  "MatMul.repeated": {
    shapes: { a: [3, 4], b: [2, 4, 5] },
    build: (g, { a, b }) => g.op("MatMul", [a!, b!]),
  },
  FusedMatMul: {
    shapes: { a: [2, 4, 3], b: [2, 5, 4] },
    build: (g, { a, b }) =>
      g.op("FusedMatMul", [a!, b!], {
        attributes: { transA: 1, transB: 1, alpha: { float: 0.5 } },
      }),
  },
  "FusedMatMul.matrix": {
    shapes: { a: [2, 3, 4], b: [5, 4] },
    build: (g, { a, b }) => g.op("FusedMatMul", [a!, b!], { attributes: { transB: 1 } }),
  },
  "MatMulNBits.8": quantized(8, 32),
  "MatMulNBits.4": quantized(4, 32),
  "MatMulNBits.rest": quantized(4, 40),
  Softmax: {
    shapes: { a: [2, 3, 5] },
    build: (g, { a }) => g.op("Softmax", [a!], { attributes: { axis: -1 } }),
  },
  LogSoftmax: {
    shapes: { a: [3, 5] },
    build: (g, { a }) => g.op("LogSoftmax", [a!], { attributes: { axis: -1 } }),
  },
  LayerNormalization: {
    shapes: { x: [2, 3, 8], w: [8], b: [8] },
    build: (g, { x, w, b }) => g.op("LayerNormalization", [x!, w!, b!], { attributes: norm }),
  },
  SimplifiedLayerNormalization: {
    shapes: { x: [3, 8], w: [8] },
    build: (g, { x, w }) => g.op("SimplifiedLayerNormalization", [x!, w!], { attributes: norm }),
  },
  FastGelu: { shapes: { x: [3, 8] }, build: (g, { x }) => g.op("FastGelu", [x!]) },
  Gelu: { shapes: { x: [3, 8] }, build: (g, { x }) => g.op("Gelu", [x!]) },
  RotaryEmbedding: {
    shapes: { x: [2, 3, 12] },
    build: (g, { x }) =>
      g.op("RotaryEmbedding", [x!, positions(g), ...tables(g)], {
        attributes: { rotary_embedding_dim: 4, num_heads: 2, interleaved: 0 },
      }),
  },
};

function graphOf({ shapes, build }: Case): Graph {
  const g = new GraphBuilder("one operator");
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, g.input(name, "float32", shape)]),
  );
  g.output("y", build(g.at("forward"), inputs));
  return g.build();
}

/**
 * How far the derivative along a random direction is from what two runs a small step apart give,
 * relative to the sizes of gradient and direction.
 */
export async function distances(open: (graph: Graph) => Promise<Session>) {
  const found: Record<string, number> = {};
  for (const [name, one] of Object.entries(cases)) found[name] = await distance(one, open);
  return found;
}

const step = 2e-2;

async function distance(one: Case, open: (graph: Graph) => Promise<Session>): Promise<number> {
  const graph = graphOf(one);
  const names = Object.keys(one.shapes);
  const session = await open(gradients(graph, "y", names));
  const random = seeded(3);
  const drawn = (shape: readonly number[]) => tensor(shape, () => random() * 2 - 1);
  const at = Object.fromEntries(names.map((name) => [name, drawn(one.shapes[name]!)]));
  const along = Object.fromEntries(names.map((name) => [name, drawn(one.shapes[name]!)]));
  const [y] = graph.outputs;
  const weights = drawn(y!.shape as number[]);
  const seed = elementCount(weights.shape) === 1 ? {} : { [gradientName("y")]: weights };

  const value = async (by: number) => {
    const moved = names.map((name) => [
      name,
      tensor(at[name]!.shape, (i) => at[name]!.data[i]! + by * along[name]!.data[i]!),
    ]);
    const { y: values } = await session.run({ ...Object.fromEntries(moved), ...seed }, ["y"]);
    return dot(values!, gradientName("y") in seed ? weights.data : Float32Array.of(1));
  };
  const wanted = names.map(gradientName);
  const found = await session.run({ ...at, ...seed }, wanted);
  const exact = names.reduce((sum, name, i) => sum + dot(found[wanted[i]!]!, along[name]!.data), 0);
  const near = ((await value(step)) - (await value(-step))) / (2 * step);
  await session.release();
  const sizes = names.reduce(
    (sum, name, i) => sum + size(found[wanted[i]!]!) * size(along[name]!.data),
    0,
  );
  return Math.abs(exact - near) / sizes;
}

type Floats = Extract<SessionTensor, { dtype: "float32" }>;
const tensor = (shape: readonly number[], value: (i: number) => number): Floats => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: elementCount(shape) }, (_, i) => value(i)),
});
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const size = (a: Float32Array) => Math.sqrt(dot(a, a));
