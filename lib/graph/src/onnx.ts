/**
 * Graph <-> ONNX protobuf. Weights are not in the protobuf: large initializers
 * are references into one external data file (see modelFile.ts).
 */
import onnxProto from "onnx-proto";
import { byteLength, viewAs, type DType } from "@tinygptv/model";
import { shorten, TinyGptvError } from "@tinygptv/protocol";
import { dataTypes, dtypeOf } from "./dataTypes.ts";
import { typesOf } from "./types.ts";
import type { Attribute, DataPlace, Graph, Initializer, Node, Port } from "./graph.ts";

const { onnx } = onnxProto;
type ITensorProto = onnxProto.onnx.ITensorProto;

/** ONNX IR version 8 with operator set 17 (the first with LayerNormalization), unless an operator came later. */
const irVersion = 8;
const operatorSet = 17;
const later: Readonly<Record<string, number>> = { BitwiseAnd: 18 };

function operatorSets({ nodes }: Graph) {
  const versions = nodes.map(({ op, attributes }) =>
    op === "DequantizeLinear" && "block_size" in attributes ? 21 : (later[op] ?? operatorSet),
  );
  const version = versions.reduce((a, b) => Math.max(a, b), operatorSet);
  return [
    { domain: "", version },
    { domain: "com.microsoft", version: 1 },
  ];
}

const { DataLocation } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** Of the longest list of integers that a shape is computed from. */
const maxContentsBytes = 512;

/** Where an initializer's bytes lie: in the protobuf, or in the external data file. */
export type StoredData = { inline: Uint8Array } | DataPlace;

/** Metadata: a stage's value by its name, and the value that ends each block by its number. */
const stagePrefix = "stage:";
const blockPrefix = "block:";

/** Serialises a graph; `stored` says where each initializer's bytes are. */
export function encodeModel(graph: Graph, stored: ReadonlyMap<string, StoredData>): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion,
    opsetImport: operatorSets(graph),
    producerName: "tinygptv",
    metadataProps: [
      ...Array.from(graph.stages, ([stage, value]) => ({ key: stagePrefix + stage, value })),
      ...graph.blocks.map((value, block) => ({ key: blockPrefix + block, value })),
    ],
    graph: {
      name: graph.name,
      input: graph.inputs.map(encodePort),
      output: graph.outputs.map(encodePort),
      node: graph.nodes.map(encodeNode),
      initializer: [...graph.initializers.values()].map((initializer) =>
        encodeInitializer(initializer, stored.get(initializer.name)!),
      ),
    },
  }).finish();
}

/**
 * Serialises a graph whose large initializers lie in files already: what was read,
 * in another form. What lies in no file becomes part of the protobuf.
 * Errors: "layout" where its shapes do not fit.
 */
export async function encodeOverData(graph: Graph): Promise<Uint8Array> {
  typesOf(graph);
  const stored = new Map<string, StoredData>();
  for (const { name, place, load } of graph.initializers.values())
    stored.set(name, place ?? { inline: await load() });
  return encodeModel(graph, stored);
}

/** Fetches an initializer's bytes. */
export type LoadStored = (stored: StoredData) => Promise<Uint8Array>;

/**
 * Reads a graph of a file.
 * @param name what messages call the file
 * @throws TinyGptvError "model"
 */
export function parseModel(name: string, bytes: Uint8Array, load: LoadStored): Graph {
  try {
    return decodeModel(bytes, load);
  } catch (cause) {
    if (cause instanceof TinyGptvError) throw cause;
    throw new TinyGptvError("model", `${name}: want an ONNX model, got bytes that do not parse`, {
      cause,
    });
  }
}

/** Reads a graph written by `encodeModel`. */
export function decodeModel(bytes: Uint8Array, load: LoadStored): Graph {
  const model = onnx.ModelProto.decode(bytes);
  const { graph } = model;
  if (!graph) throw new TinyGptvError("model", "onnx: want a graph, got none");
  return {
    name: graph.name ?? "",
    inputs: (graph.input ?? []).map(decodePort),
    outputs: (graph.output ?? []).map(decodePort),
    nodes: (graph.node ?? []).map(decodeNode),
    initializers: new Map(
      (graph.initializer ?? []).map((proto) => [proto.name!, decodeInitializer(proto, load)]),
    ),
    stages: new Map(entriesOf(model, stagePrefix)),
    blocks: entriesOf(model, blockPrefix)
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([, value]) => value),
  };
}

/** Metadata whose keys begin so: the rest of the key, and the value. */
function entriesOf(
  { metadataProps }: onnxProto.onnx.ModelProto,
  prefix: string,
): [string, string][] {
  return metadataProps
    .filter(({ key }) => key?.startsWith(prefix))
    .map(({ key, value }) => [key!.slice(prefix.length), value!]);
}

function encodePort({ name, dtype, shape }: Port): onnxProto.onnx.IValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } } };
}

function decodePort(proto: onnxProto.onnx.IValueInfoProto): Port {
  const tensor = proto.type!.tensorType!;
  return {
    name: proto.name!,
    dtype: dtypeOf(tensor.elemType!),
    shape: (tensor.shape?.dim ?? []).map(({ dimValue, dimParam }) => dimParam || Number(dimValue)),
  };
}

function encodeNode({ name, op, domain, inputs, outputs, attributes }: Node) {
  return {
    name,
    opType: op,
    domain,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value)),
  };
}

function encodeAttribute(name: string, value: Attribute): onnxProto.onnx.IAttributeProto {
  if (typeof value === "number") return { name, type: AttributeType.INT, i: value };
  if (typeof value === "string")
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

function decodeNode(proto: onnxProto.onnx.INodeProto): Node {
  return {
    name: proto.name ?? "",
    op: proto.opType!,
    domain: proto.domain ?? "",
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: Object.fromEntries(
      (proto.attribute ?? []).map((attribute) => [attribute.name!, decodeAttribute(attribute)]),
    ),
  };
}

function decodeAttribute(proto: onnxProto.onnx.IAttributeProto): Attribute {
  switch (proto.type) {
    case AttributeType.INT:
      return Number(proto.i);
    case AttributeType.FLOAT:
      return { float: proto.f! };
    case AttributeType.STRING:
      return new TextDecoder().decode(proto.s ?? undefined);
    case AttributeType.INTS:
      return proto.ints!.map(Number);
    default:
      throw new TinyGptvError(
        "model",
        `onnx: attribute ${shorten(proto.name ?? "")}: want an integer, float, string or list of integers, got type ${proto.type}`,
      );
  }
}

function encodeInitializer({ name, dtype, shape }: Initializer, data: StoredData): ITensorProto {
  const proto = { name, dataType: dataTypes[dtype], dims: [...shape] };
  if ("inline" in data) return { ...proto, rawData: data.inline };
  return {
    ...proto,
    dataLocation: DataLocation.EXTERNAL,
    externalData: Object.entries(data).map(([key, value]) => ({ key, value: String(value) })),
  };
}

function decodeInitializer(proto: ITensorProto, load: LoadStored): Initializer {
  const stored: StoredData =
    proto.dataLocation === DataLocation.EXTERNAL
      ? decodeExternalData(proto)
      : { inline: proto.rawData ?? new Uint8Array() };
  const dtype = dtypeOf(proto.dataType!);
  const shape = (proto.dims ?? []).map(Number);
  const bytes = "inline" in stored ? stored.inline.byteLength : stored.length;
  if (bytes !== byteLength(dtype, shape))
    throw new TinyGptvError(
      "model",
      `onnx: initializer ${shorten(proto.name ?? "")}: want ${byteLength(dtype, shape)} bytes for ${dtype} [${shape}], got ${bytes}`,
    );
  const contents = "inline" in stored ? contentsOf(dtype, shape, stored.inline) : undefined;
  return {
    name: proto.name!,
    dtype,
    shape,
    ...(contents && { contents }),
    ...("inline" in stored ? {} : { place: stored }),
    load: () => load(stored),
  };
}

/** Small lists of integers are what graphs say shapes and sizes with. */
function contentsOf(dtype: DType, shape: readonly number[], bytes: Uint8Array) {
  if (dtype !== "int64" || shape.length > 1 || bytes.byteLength > maxContentsBytes)
    return undefined;
  return Array.from(viewAs(BigInt64Array, bytes), Number);
}

/** Numbers are text in ONNX, so that they may be of any size; the file lies beside the graph. */
function decodeExternalData({ name, externalData }: ITensorProto): StoredData {
  const entries = Object.fromEntries((externalData ?? []).map(({ key, value }) => [key, value]));
  const { location = "", offset, length }: Record<string, string> = entries;
  const stored = { location, offset: Number(offset), length: Number(length) };
  const isSound =
    /^[^/\\\p{Cc}]{1,255}$/u.test(location) &&
    location !== ".." &&
    [stored.offset, stored.length].every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isSound)
    throw new TinyGptvError(
      "model",
      `onnx: initializer ${shorten(name ?? "")}: want a file beside the graph, an offset and a length, got ${shorten(JSON.stringify(entries))}`,
    );
  return stored;
}
