import { TinyGptvError } from "@tinygptv/protocol";
import type { DType } from "@tinygptv/model";
import type { Shape } from "./dimension.ts";
import type { Attribute, Graph, Initializer, Node, Port } from "./graph.ts";
import type { TensorType } from "./shapes/call.ts";
import { domainOf } from "./shapes/operators.ts";
import { nodeTypes, typesOf } from "./types.ts";
import { Value } from "./value.ts";

export interface OpOptions {
  attributes?: Record<string, Attribute>;
  /** Tells apart several operators of one kind in one place: `/phi/layers.3/attention/MatMul.past`. */
  label?: string;
}

/**
 * Adds operators to a graph at one place of the model (`/phi/layers.3/attention`).
 * Nodes are named by place and operator; a name that exists already is an error,
 * so that two nodes never share one by accident. Shapes that do not fit are an
 * error "layout" of the call that makes them.
 */
export class GraphBuilder {
  readonly #state: GraphState;
  readonly #place: string;

  constructor(name: string, state: GraphState = newState(name), place = "") {
    this.#state = state;
    this.#place = place;
  }

  /** Goes on with a graph that was read or built before, which stays as it is. Its values: `value`. */
  static on(graph: Graph): GraphBuilder {
    return new GraphBuilder(graph.name, continued(graph));
  }

  /** The same graph, one place deeper. */
  at(place: string): GraphBuilder {
    return new GraphBuilder(this.#state.name, this.#state, `${this.#place}/${place}`);
  }

  /** A value of the graph by its name in the file. */
  value(name: string): Value {
    const value = this.#state.values.get(name);
    if (value) return value;
    throw this.#fault(`want a value of the graph, got the name ${name}`, name);
  }

  /**
   * An input of the graph; its name must be new.
   * @param contents names for the elements of one that says a shape
   */
  input(name: string, dtype: DType, shape: Shape, contents?: Shape): Value {
    this.#claim(name);
    this.#state.inputs.push({ name, dtype, shape, contents });
    return this.#add(name, { dtype, shape, contents });
  }

  /** Makes a value an output of the model under a stable name, which it has everywhere once the graph is built. */
  output(name: string, value: Value): void {
    this.#claim(name);
    this.#state.nodes.push({
      name: `/outputs/${name}`,
      op: "Identity",
      domain: "",
      inputs: [value.name],
      outputs: [name],
      attributes: {},
    });
    this.#state.outputs.push({ name, dtype: value.dtype, shape: value.shape });
    this.#add(name, value);
  }

  /** A weight of the graph, or a constant; its name must be new. */
  initializer(initializer: Initializer): Value {
    this.#claim(initializer.name);
    this.#state.initializers.set(initializer.name, initializer);
    return this.#add(initializer.name, initializer);
  }

  /** A small constant; equal constants are stored once. */
  constant(
    dtype: "int64" | "float32",
    values: readonly number[],
    shape: readonly number[] = [values.length],
  ): Value {
    const name = `const/${dtype}[${shape.join(",")}](${values.join(",")})`;
    const known = this.#state.values.get(name);
    if (known) return known;
    const data = dtype === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
    const bytes = new Uint8Array(data.buffer);
    const contents = dtype === "int64" ? { contents: values } : {};
    return this.initializer({ name, dtype, shape, ...contents, load: async () => bytes });
  }

  /** One operator with one output. */
  op(op: string, inputs: readonly (Value | undefined)[], options: OpOptions = {}): Value {
    return this.ops(op, inputs, 1, options)[0]!;
  }

  /** One operator with several outputs. */
  ops(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputCount: number,
    { attributes = {}, label }: OpOptions = {},
  ): Value[] {
    const name = `${this.#place}/${op}${label ? `.${label}` : ""}`;
    const node = {
      name,
      op,
      domain: domainOf(op) ?? "",
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs: Array.from({ length: outputCount }, (_, i) => `${name}:${i}`),
      attributes,
    };
    const types = nodeTypes(this.#state.name, node, inputs);
    this.#claim(name);
    this.#state.nodes.push(node);
    return types.map((type, i) => this.#add(node.outputs[i]!, type));
  }

  /** Says that a value is a stage of the reference's forward pass, for comparison with its golden data. */
  stage(name: string, value: Value): void {
    this.#state.stages.set(name, value.name);
  }

  /** Says that a value is all that a block hands on to the next: the model can be run in parts there. */
  endBlock(value: Value): void {
    this.#state.blocks.push(value.name);
  }

  /** The graph as built so far. */
  build(): Graph {
    const { name, inputs, outputs, initializers, stages, blocks } = this.#state;
    const { nodes, renamed } = withoutCopies(this.#state);
    const rename = (value: string) => renamed.get(value) ?? value;
    return {
      name,
      inputs: [...inputs],
      outputs: [...outputs],
      nodes,
      initializers: new Map(initializers),
      stages: new Map([...stages].map(([stage, value]) => [stage, rename(value)])),
      blocks: blocks.map(rename),
    };
  }

  #add(name: string, type: TensorType): Value {
    const value = new Value(this.#state.name, name, type);
    this.#state.values.set(name, value);
    return value;
  }

  #claim(name: string): void {
    if (this.#state.names.has(name)) throw this.#fault(`the name ${name} is used twice`, name);
    this.#state.names.add(name);
  }

  #fault(problem: string, subject: string): TinyGptvError {
    return new TinyGptvError("layout", `graph ${this.#state.name}: ${problem}`, { subject });
  }
}

/**
 * Operators write outputs under their own names; without this each would be
 * copied at every run. An input, a constant or a second output of one value has no other way.
 */
function withoutCopies({ nodes, outputs }: Graph): {
  nodes: Node[];
  /** Names of values to those they have as outputs. */
  renamed: ReadonlyMap<string, string>;
} {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const isOutput = new Set(outputs.map(({ name }) => name));
  const renamed = new Map<string, string>();
  const kept = nodes.filter(({ op, inputs: [value], outputs: [output] }) => {
    const isCopy = op === "Identity" && isOutput.has(output!) && made.has(value!);
    if (!isCopy || isOutput.has(value!) || renamed.has(value!)) return true;
    renamed.set(value!, output!);
    return false;
  });
  const rename = (name: string) => renamed.get(name) ?? name;
  return {
    nodes: kept.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
    renamed,
  };
}

interface GraphState extends Graph {
  readonly inputs: Port[];
  readonly outputs: Port[];
  readonly nodes: Node[];
  readonly initializers: Map<string, Initializer>;
  readonly stages: Map<string, string>;
  readonly blocks: string[];
  /** Of nodes, inputs, outputs and initializers. */
  readonly names: Set<string>;
  readonly values: Map<string, Value>;
}

function newState(name: string): GraphState {
  return continued({
    name,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(),
    stages: new Map(),
    blocks: [],
  });
}

function continued(graph: Graph): GraphState {
  const { name, inputs, outputs, nodes, initializers, stages, blocks } = graph;
  const named = [...inputs, ...outputs, ...nodes, ...initializers.values()];
  return {
    name,
    inputs: [...inputs],
    outputs: [...outputs],
    nodes: [...nodes],
    initializers: new Map(initializers),
    stages: new Map(stages),
    blocks: [...blocks],
    names: new Set(named.map((each) => each.name)),
    values: new Map(
      Array.from(typesOf(graph), ([value, type]) => [value, new Value(name, value, type)]),
    ),
  };
}
