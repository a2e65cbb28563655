/** The graphs of a model folder on this machine's GPU. */
import { dirname, join } from "node:path";
import { readModel } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import type { ModelConfig } from "@tinygptv/model";
import type { Device } from "../session/device.ts";
import { deviceGraph } from "../session/deviceGraphs.ts";
import { devicePasses } from "../session/devicePass.ts";
import type { DeviceForm } from "../session/devicePass.ts";
import { checkPorts } from "../session/graphPorts.ts";
import type { ModelFiles } from "./modelFiles.ts";
import type { OnDevice } from "./parts.ts";

/**
 * The same graphs in the device's forms, over the same data files. Whoever runs
 * one of the picture side waits for their turn; passes take theirs themselves.
 */
export function onDevice(
  device: Device,
  best: DeviceForm,
  { folder, manifest: { config }, files }: ModelFiles,
): OnDevice {
  const form = formFor(config, best);
  return {
    async openGraph(component) {
      const path = join(folder, files[component]);
      const stored = await readModel(path);
      checkPorts(path, component, config, stored);
      const graph = deviceGraph(component, stored, config, form);
      const session = await device.open(graph, dirname(path));
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
