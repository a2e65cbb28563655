/**
 * A GPU as ONNX Runtime's WebGPU provider offers it, whichever binding it comes
 * from: sessions on it, memory on it, and one thing at a time.
 *
 * What is known of the provider (1.30), each found by trying:
 * - Outputs are written in place only in sessions without a preferred output
 *   location; with one, tensors given to be written to are ignored in silence.
 * - A view can be made of the first rows of a buffer, not of others.
 * - Memory of the device comes back by `dispose` alone.
 * - One device a process; runs from several threads crash.
 */
import type { Tensor, TensorConstructor } from "onnxruntime-common";
import { GraphBuilder, encodeOverData } from "@tinygptv/graph";
import type { Graph } from "@tinygptv/graph";
import type { DeviceTensor, Session, SessionTensor } from "@tinygptv/graph/session";
import { elementCount } from "@tinygptv/model";
import { integers } from "@tinygptv/network/feeds";
import { DeviceLost } from "./deviceLost.ts";
import { makeTyped, ortSession } from "./ortSession.ts";
import type { OrtSession } from "./ortSession.ts";

/**
 * What a device is made with: ONNX Runtime's binding, on a page or in Node. Its own
 * types are left out, since they name what only pages have.
 */
export interface DeviceBinding {
  /** Its class of tensors. */
  readonly Tensor: unknown;
  /**
   * Creates a session of it on the device.
   * @param weights where its data files are: a folder, or what the binding takes instead
   * @param keepsOutputs whether its outputs stay on the device
   */
  create(
    graph: Uint8Array,
    options: { weights?: unknown; keepsOutputs: boolean },
  ): Promise<unknown>;
}

/** The same by its types. */
interface OrtBinding extends DeviceBinding {
  readonly Tensor: TensorConstructor & Pick<typeof Tensor, "fromGpuBuffer">;
  create(...call: Parameters<DeviceBinding["create"]>): Promise<OrtSession>;
}

type Floats = DeviceTensor["dtype"];

export class Device {
  readonly #binding: OrtBinding;
  #last: Promise<unknown> = Promise.resolve();
  #failure: DeviceLost | undefined;
  readonly #zeros = new Map<Floats, Promise<DeviceMaker>>();

  constructor(binding: DeviceBinding) {
    this.#binding = binding as OrtBinding;
  }

  /** Why the device is of no use any more; what it holds is lost. */
  get failure(): DeviceLost | undefined {
    return this.#failure;
  }

  /** Tells that the device failed, of which nobody waiting need hear: what is computed from now on cannot be trusted. */
  fail(cause: unknown): void {
    this.#failure ??= new DeviceLost(cause);
  }

  /**
   * Does something on the device after everything that was begun before. Where it
   * fails nothing that follows can be trusted: all of it fails with the same error.
   */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      try {
        const done = await work();
        if (this.#failure) throw this.#failure;
        return done;
      } catch (cause) {
        this.fail(cause);
        throw this.#failure;
      }
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** The same, for what nobody waits for: whoever comes next is told if it fails. */
  soon(work: () => Promise<void>): void {
    this.inTurn(work).catch(() => {});
  }

  /** Opens a graph; its runs are for `inTurn`. */
  async open(graph: Graph, weights?: unknown): Promise<Session> {
    const { Tensor } = this.#binding;
    const bytes = await encodeOverData(graph);
    return ortSession(await this.#binding.create(bytes, { weights, keepsOutputs: false }), Tensor);
  }

  /** Opens a graph whose outputs stay on the device. */
  async openMaker(graph: Graph): Promise<DeviceMaker> {
    const session = await this.#binding.create(await encodeOverData(graph), { keepsOutputs: true });
    const { Tensor } = this.#binding;
    const outputs = session.outputMetadata.map(({ name }) => name);
    const run = async (feeds: Feeds) => {
      const results = await session.run(
        Object.fromEntries(
          Object.entries(feeds).map(([name, tensor]) => [
            name,
            "device" in tensor ? (tensor.device as Tensor) : makeTyped(Tensor, tensor),
          ]),
        ),
        outputs,
      );
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, onDevice(tensor)]),
      );
    };
    return { run, release: () => session.release() };
  }

  /** Memory, all zeros; at least one element. */
  async allocate(dtype: Floats, shape: readonly number[]): Promise<DeviceTensor> {
    const zeros = this.#zeros.get(dtype) ?? this.openMaker(zerosGraph(dtype));
    this.#zeros.set(dtype, zeros);
    const count = integers([elementCount(shape)]);
    const { zeros: made } = await (await zeros).run({ count });
    return this.reshaped(made!, shape);
  }

  /** The first so many rows of a tensor, in the same memory: nothing to dispose of. */
  firstRows(tensor: DeviceTensor, rows: number): DeviceTensor {
    const [all, ...row] = tensor.shape;
    return rows === all ? tensor : this.#view(tensor, [rows, ...row]);
  }

  /** The same elements in another shape, in the same memory: disposing of either disposes of both. */
  reshaped(tensor: DeviceTensor, shape: readonly number[]): DeviceTensor {
    return { ...this.#view(tensor, shape), dispose: tensor.dispose };
  }

  #view({ dtype, device }: DeviceTensor, shape: readonly number[]): DeviceTensor {
    const { gpuBuffer } = device as Tensor;
    const view = this.#binding.Tensor.fromGpuBuffer(gpuBuffer, { dataType: dtype, dims: shape });
    return { dtype, shape, device: view, dispose: () => {} };
  }
}

type Feeds = Readonly<Record<string, SessionTensor | DeviceTensor>>;

/** A graph whose outputs stay on the device, by name. */
export interface DeviceMaker {
  run(feeds: Feeds): Promise<Record<string, DeviceTensor>>;
  release(): Promise<void>;
}

function onDevice(tensor: Tensor): DeviceTensor {
  return {
    dtype: tensor.type as Floats,
    shape: tensor.dims,
    device: tensor,
    dispose: () => tensor.dispose(),
  };
}

/** count (1) int64 -> zeros (N) */
function zerosGraph(dtype: Floats): Graph {
  const g = new GraphBuilder("zeros");
  const count = g.input("count", "int64", [1], ["N"]);
  const one = g.initializer({
    name: "zero",
    dtype,
    shape: [1],
    load: async () => new Uint8Array(dtype === "float32" ? 4 : 2),
  });
  g.output("zeros", g.op("Expand", [one, count]));
  return g.build();
}
