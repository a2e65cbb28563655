/** The graphs of a model on a GPU. */
import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import type { Component, ModelConfig } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Device } from "../session/device.ts";
import { deviceGraph } from "../session/deviceGraphs.ts";
import { devicePasses } from "../session/devicePass.ts";
import type { DeviceForm } from "../session/devicePass.ts";
import { checkPorts } from "../session/graphPorts.ts";
import type { OnDevice } from "./parts.ts";

/** A graph as its level has it. */
export interface StoredGraph {
  /** What messages call its file. */
  readonly name: string;
  readonly graph: Graph;
  /** Its data files, as the device's binding takes them. */
  readonly weights: unknown;
}

/**
 * The same graphs in the device's forms, over the same data files. Whoever runs
 * one of the picture side waits for their turn; passes take theirs themselves.
 * @param best form that the device computes right
 */
export function onDevice(
  { device, form: best }: { device: Device; form: DeviceForm },
  config: ModelConfig,
  read: (component: Component) => Promise<StoredGraph>,
): OnDevice {
  const form = formFor(config, best);
  return {
    async openGraph(component) {
      const { name, graph, weights } = await read(component);
      checkPorts(name, component, config, graph);
      const made = deviceGraph(component, graph, config, form);
      const session = await device.open(made, weights).catch((cause: Error) => {
        throw new TinyGptvError(
          "model",
          `${name}: ONNX Runtime cannot load it on the GPU: ${cause.message}`,
          { cause },
        );
      });
      return component === "phi" ? session : inTurn(device, session);
    },
    openPasses: (phi, embeddings) => devicePasses(device, phi, embeddings, config.phi, form),
  };
}

/** The grouped operator takes heads of multiples of 8 numbers only, of which it turns multiples of 16. */
function formFor({ phi }: ModelConfig, best: DeviceForm): DeviceForm {
  const fits = phi.headDim % 8 === 0 && phi.rotaryDim % 16 === 0;
  return fits ? best : { ...best, attention: "inPlace" };
}

function inTurn(device: Device, session: Session): Session {
  return { ...session, run: (...call) => device.inTurn(() => session.run(...call)) };
}
