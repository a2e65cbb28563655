/** What the graphs of a model take and give, as its manifest has it (the table in docs/architecture.md). */
import type { Session, SessionPort } from "@tinygptv/graph/session";
import { visionTokens } from "@tinygptv/model";
import type { Component, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

type Shape = SessionPort["shape"];
type Ports = Readonly<Record<string, Shape>>;
interface GraphPorts {
  readonly inputs: Ports;
  readonly outputs: Ports;
}

const portsOf: Readonly<Record<Component, (config: ModelConfig) => GraphPorts>> = {
  vision: ({ vision }) => ({
    inputs: { pixel_values: ["N", 3, vision.imageSize, vision.imageSize] },
    outputs: { vision_states: ["N", visionTokens(vision), vision.width] },
  }),
  qformer: ({ vision, qformer }) => ({
    inputs: { vision_states: ["N", visionTokens(vision), vision.width] },
    outputs: { image_embeds: ["N", qformer.numQueryTokens, qformer.width] },
  }),
  mapping: ({ qformer, phi }) => ({
    inputs: { image_embeds: ["N", qformer.numQueryTokens, qformer.width] },
    outputs: { image_features: ["N", qformer.numQueryTokens, phi.width] },
  }),
  phi: ({ phi: { width, vocabSize, numLayers, numHeads, headDim } }) => ({
    inputs: {
      inputs_embeds: ["B", "S", width],
      padding: ["F", width],
      past_length: ["B"],
      logits_rows: ["L"],
      ...perLayer(numLayers, "past_key", "past_value", ["B", numHeads, "P", headDim]),
    },
    outputs: {
      logits: ["L", vocabSize],
      ...perLayer(numLayers, "key", "value", ["B", numHeads, "S", headDim]),
    },
  }),
};

function perLayer(layers: number, key: string, value: string, shape: Shape): Ports {
  const names = Array.from({ length: layers }, (_, i) => [`${key}.${i}`, `${value}.${i}`]).flat();
  return Object.fromEntries(names.map((name) => [name, shape]));
}

/**
 * Holds a graph against the dimensions of its manifest, before anything is
 * allocated by them.
 * @param path of the graph, for messages
 * @throws TinyGptvError "model" naming the input or output that differs
 */
export function checkPorts(
  path: string,
  component: Component,
  config: ModelConfig,
  session: Pick<Session, "inputs" | "outputs">,
): void {
  const wanted = portsOf[component](config);
  const differ = (name: string, want: string, got: string) =>
    new TinyGptvError(
      "model",
      `${path}: ${name}: want ${want} as the manifest says, got ${got}; convert the model again`,
    );
  const surplus = session.inputs.find(({ name }) => !Object.hasOwn(wanted.inputs, name));
  if (surplus) throw differ(surplus.name, "no such input", show(surplus.shape));
  for (const kind of ["inputs", "outputs"] as const) {
    const found = new Map(session[kind].map(({ name, shape }) => [name, shape]));
    for (const [name, shape] of Object.entries(wanted[kind])) {
      const got = found.get(name);
      if (!got) throw differ(name, show(shape), `no such ${kind.slice(0, -1)}`);
      if (!isAlike(shape, got)) throw differ(name, show(shape), show(got));
    }
  }
}

/** Same sizes, and dimensions that vary in the same places. */
function isAlike(one: Shape, other: Shape): boolean {
  return (
    one.length === other.length &&
    one.every((size, i) => typeof size === "string" || size === other[i])
  );
}

function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
