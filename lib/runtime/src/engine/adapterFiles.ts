/** The adapters in a model's folder. */
import { dirname, join } from "node:path";
import { readModel } from "@tinygptv/graph/disk";
import { readAdapterManifest } from "@tinygptv/model/disk";
import { adaptable } from "@tinygptv/network";
import { checkPorts } from "../session/graphPorts.ts";
import { copyBytes } from "../session/prepacked.ts";
import { openSession } from "../session/runtime.ts";
import type { AdapterSource } from "./adapters.ts";
import type { ModelFiles } from "./modelFiles.ts";
import { placeOfCopy, type GraphOptions } from "./openGraph.ts";

/** @throws TinyGptvError "model" naming the file at fault, from each of its functions */
export function adaptersIn(
  { folder, manifest, files }: ModelFiles,
  { threads, openSession: open = openSession }: Pick<GraphOptions, "threads" | "openSession">,
): AdapterSource {
  const { config } = manifest;
  return {
    isSmall: copyBytes(placeOfCopy(folder, manifest, files.phi).bytes) === 0,
    async read(name) {
      const { folder: own, manifest: adapter } = await readAdapterManifest(folder, name);
      return {
        origin: own,
        manifest: adapter,
        openWeights: async () =>
          adapter.phi === undefined ? undefined : readModel(join(own, adapter.phi)),
        async openMapping() {
          if (adapter.mapping === undefined) return undefined;
          const path = join(own, adapter.mapping);
          const session = await open(path, { threads });
          try {
            checkPorts(path, "mapping", config, session);
          } catch (error) {
            await session.release();
            throw error;
          }
          return session;
        },
      };
    },
    async openAdaptable(path) {
      const full = join(folder, path);
      const { graph, places } = adaptable(await readModel(full), config.phi);
      return { session: await open({ graph, folder: dirname(full) }, { threads }), places };
    },
  };
}
