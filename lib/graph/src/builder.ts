import type { DType } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Attribute, Dimension, Graph, Initializer, Node, Port, Value } from "./graph.ts";

export interface OpOptions {
  domain?: string;
  attributes?: Record<string, Attribute>;
  /** Element type of the outputs; that of the first input unless given. */
  dtype?: DType;
  /** Tells apart several operators of one kind in one place: `/phi/layers.3/attention/MatMul.past`. */
  label?: string;
}

/**
 * Adds operators to a graph at one place of the model (`/phi/layers.3/attention`).
 * Nodes are named by place and operator; a name that exists already is an error,
 * so that two nodes never share one by accident.
 */
export class GraphBuilder {
  readonly #state: GraphState;
  readonly #place: string;

  constructor(name: string, state: GraphState = newState(name), place = "") {
    this.#state = state;
    this.#place = place;
  }

  /** The same graph, one place deeper. */
  at(place: string): GraphBuilder {
    return new GraphBuilder(this.#state.name, this.#state, `${this.#place}/${place}`);
  }

  input(name: string, dtype: DType, shape: readonly Dimension[]): Value {
    this.#claim(name);
    this.#state.inputs.push({ name, dtype, shape });
    return { name, dtype };
  }

  /** Makes a value an output of the model under a stable name. */
  output(name: string, value: Value, shape: readonly Dimension[]): void {
    this.#claim(name);
    this.#state.nodes.push({
      name: `/outputs/${name}`,
      op: "Identity",
      domain: "",
      inputs: [value.name],
      outputs: [name],
      attributes: {},
    });
    this.#state.outputs.push({ name, dtype: value.dtype, shape });
  }

  initializer(initializer: Initializer): Value {
    this.#claim(initializer.name);
    this.#state.initializers.set(initializer.name, initializer);
    return { name: initializer.name, dtype: initializer.dtype };
  }

  /** A small constant; equal constants are stored once. */
  constant(
    dtype: "int64" | "float32",
    values: readonly number[],
    shape?: readonly number[],
  ): Value {
    const dims = shape ?? [values.length];
    const name = `const/${dtype}[${dims.join(",")}](${values.join(",")})`;
    if (!this.#state.initializers.has(name)) {
      const data =
        dtype === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
      const bytes = new Uint8Array(data.buffer);
      this.initializer({ name, dtype, shape: dims, load: async () => bytes });
    }
    return { name, dtype };
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
    options: OpOptions = {},
  ): Value[] {
    const dtype = options.dtype ?? inputs.find((input) => input !== undefined)!.dtype;
    const name = `${this.#place}/${op}${options.label ? `.${options.label}` : ""}`;
    this.#claim(name);
    const outputs = Array.from({ length: outputCount }, (_, i) => `${name}:${i}`);
    this.#state.nodes.push({
      name,
      op,
      domain: options.domain ?? "",
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs,
      attributes: options.attributes ?? {},
    });
    return outputs.map((output) => ({ name: output, dtype }));
  }

  /** Says that a value is a stage of the reference's forward pass, for comparison with its golden data. */
  stage(name: string, value: Value): void {
    this.#state.stages.set(name, value.name);
  }

  build(): Graph {
    return this.#state;
  }

  #claim(name: string): void {
    if (this.#state.names.has(name))
      throw new TinyGptvError(
        "layout",
        `graph ${this.#state.name}: the name ${name} is used twice`,
      );
    this.#state.names.add(name);
  }
}

interface GraphState extends Graph {
  readonly inputs: Port[];
  readonly outputs: Port[];
  readonly nodes: Node[];
  readonly initializers: Map<string, Initializer>;
  readonly stages: Map<string, string>;
  readonly names: Set<string>;
}

function newState(name: string): GraphState {
  return {
    name,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(),
    stages: new Map(),
    names: new Set(),
  };
}
