/** ONNX Runtime's sessions as ours, whichever of its bindings they come from. */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-common";
import type { DeviceTensor, Session, SessionPort, SessionTensor } from "@tinygptv/graph/session";
import { elementCount } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { saturationProbe } from "./saturationProbe.ts";

/** As much of a binding's session as is used. */
export interface OrtSession extends Pick<
  InferenceSession,
  "inputMetadata" | "outputMetadata" | "release"
> {
  run(
    feeds: InferenceSession.FeedsType,
    fetches: InferenceSession.FetchesType,
  ): Promise<InferenceSession.ReturnType>;
}

/** @param makeTensor of the binding that the session comes from */
export function ortSession(session: OrtSession, makeTensor: TensorConstructor): Session {
  /** Of inputs that are given again: cached keys and values stay the same for many steps. */
  const tensors = new WeakMap<SessionTensor, Tensor>();

  function toOrt(name: string, tensor: SessionTensor | DeviceTensor): Tensor {
    if ("device" in tensor) return tensor.device as Tensor;
    const known = tensors.get(tensor);
    if (known) return known;
    const { shape, data } = tensor;
    if (data.length !== elementCount(shape))
      throw new TinyGptvError(
        "model",
        `${name}: want ${elementCount(shape)} elements for [${shape}], got ${data.length}`,
      );
    const made = makeTyped(makeTensor, tensor);
    tensors.set(tensor, made);
    return made;
  }

  return {
    inputs: portsOf(session.inputMetadata),
    outputs: portsOf(session.outputMetadata),
    async run(feeds, outputs, inPlace) {
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [name, toOrt(name, tensor)]),
      );
      const results = await session.run(inputs, inPlace ? fetches(outputs, inPlace) : outputs);
      return Object.fromEntries(outputs.map((name) => [name, results[name]!.data as Float32Array]));
    },
    release: () => session.release(),
  };
}

export function makeTyped(makeTensor: TensorConstructor, tensor: SessionTensor): Tensor {
  const { dtype, shape } = tensor;
  switch (dtype) {
    case "float32":
      return new makeTensor(dtype, tensor.data, shape);
    case "float16":
      return new makeTensor(dtype, tensor.data, shape);
    case "int64":
      return new makeTensor(dtype, tensor.data, shape);
    case "int32":
      return new makeTensor(dtype, tensor.data, shape);
    case "uint8":
      return new makeTensor(dtype, tensor.data, shape);
    case "int8":
      return new makeTensor(dtype, tensor.data, shape);
  }
}

/** Outputs to be made anew, and those that go where they are told. */
function fetches(outputs: readonly string[], inPlace: Readonly<Record<string, DeviceTensor>>) {
  const wanted: Record<string, Tensor | null> = {};
  for (const name of outputs) wanted[name] = null;
  for (const [name, { device }] of Object.entries(inPlace)) wanted[name] = device as Tensor;
  return wanted;
}

function portsOf(metadata: readonly InferenceSession.ValueMetadata[]): SessionPort[] {
  return metadata.flatMap((value) =>
    value.isTensor ? [{ name: value.name, shape: value.shape }] : [],
  );
}

/**
 * Whether this processor cuts off large sums of signed 8-bit weights: those with
 * AVX2 and without VNNI add products in pairs of 16 bits. Found by multiplying.
 * @param probe a session of `saturationProbe.graph`; is released
 */
export async function cutsOff(probe: OrtSession, makeTensor: TensorConstructor): Promise<boolean> {
  const { y } = await probe.run({ x: new makeTensor("float32", [1, 1, 1, 1], [1, 4]) }, ["y"]);
  await probe.release();
  return Math.abs((y!.data[0] as number) - saturationProbe.exact) > 1;
}
