/** A level of a model that is kept in the browser, opened: the same assembly as in Node, out of other parts. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { StoredData } from "@tinygptv/graph";
import { readTokenizer } from "@tinygptv/model";
import { assembleModel } from "../engine/assembleModel.ts";
import type { AssemblyOptions, Platform } from "../engine/assembleModel.ts";
import { describeOnGpu } from "../engine/gpuChoice.ts";
import type { OnGpu, OnProcessor } from "../engine/gpuChoice.ts";
import { describe } from "../engine/modelInfo.ts";
import { graphsOf } from "../engine/parts.ts";
import type { OnDevice, OpenableModel } from "../engine/parts.ts";
import { createPictureQueue } from "../engine/pictureQueue.ts";
import type { Model } from "../model.ts";
import { checkTableSize, lookUpBy, rowBytesOf } from "../session/embeddings.ts";
import { fileOf } from "./levels.ts";
import type { RemoteModel } from "./levels.ts";
import { checkImage, encodePng } from "./pictures.ts";
import type { WasmSessions } from "./sessions.ts";
import type { FileStore } from "./store.ts";

const page: Platform = {
  readSquare: createPictureQueue(checkImage),
  sha256: (bytes) => bytesToHex(sha256(bytes)),
  encodePng,
};

/** What a model is opened with. */
export interface PageParts {
  readonly store: FileStore;
  /** Asked for where WebAssembly runs it. */
  readonly sessions: () => Promise<WasmSessions>;
  readonly execution: OnProcessor | OnGpu;
}

/** @throws TinyGptvError "model" naming the file at fault, "io" where one is not kept */
export async function openModel(
  remote: RemoteModel,
  level: string,
  { store, sessions, execution }: PageParts,
  options: AssemblyOptions,
): Promise<Model> {
  const { manifest } = remote;
  const graphs = graphsOf(manifest, level);
  const nameOf = (path: string) => remote.address + path;
  const open = (path: string) => store.open(fileOf(remote, path));
  const read = async (path: string) => new Uint8Array(await (await open(path)).arrayBuffer());
  const isListed = (path: string) => manifest.files.some((file) => file.path === path);
  /** Where a graph's weights are; undefined where it has none outside. */
  const dataOf = (path: string) => (isListed(`${path}.data`) ? `${path}.data` : undefined);
  let roundsToOneRange = false;

  const openable: OpenableModel = {
    manifest,
    nameOf,
    graphs,
    async openGraph(path) {
      const graph = await read(path);
      roundsToOneRange ||= new TextDecoder("latin1")
        .decode(graph)
        .includes("DynamicQuantizeMatMul");
      const data = dataOf(path);
      const weights = data ? { path: fileName(data), data: await read(data) } : undefined;
      return (await sessions()).open({ name: nameOf(path), graph, weights });
    },
    onDevice: execution.provider === "webgpu" ? await onGpu(execution) : undefined,
    openTokenizer: () =>
      readTokenizer({
        name: nameOf(manifest.tokenizer),
        async read(file) {
          const path = `${manifest.tokenizer}/${file}`;
          return isListed(path) ? (await open(path)).text() : undefined;
        },
      }),
    async openEmbeddings() {
      const { file, dtype } = manifest.embeddings;
      const { vocabSize: rows, width } = manifest.config.phi;
      const table = { dtype, rows, width };
      const content = await read(file);
      checkTableSize(nameOf(file), table, content.length);
      const length = rowBytesOf(table);
      const lookUp = lookUpBy(table, (row) => content.subarray(row * length, (row + 1) * length));
      return { lookUp, close() {} };
    },
  };

  /** Apart, since only pages with a GPU load it. */
  async function onGpu(chosen: OnGpu): Promise<OnDevice> {
    const { onDevice } = await import("../engine/onDevice.ts");
    const { parseModel } = await import("@tinygptv/graph");
    return onDevice(chosen, manifest.config, async (component) => {
      const path = graphs[component];
      const data = dataOf(path);
      const weights = data ? [{ path: fileName(data), data: await open(data) }] : [];
      const graph = parseModel(nameOf(path), await read(path), storedInside);
      return { name: nameOf(path), graph, weights };
    });
  }

  const model = await assembleModel(openable, describe(manifest, level, options), page, options);
  const integerWeights = !roundsToOneRange
    ? undefined
    : (await (await sessions()).cutsOffSums())
      ? "unsigned"
      : "signed";
  const isOnGpu = execution.provider === "webgpu";
  return {
    ...model,
    info: {
      ...model.info,
      loaded: true,
      executionProvider: isOnGpu ? "webgpu" : "wasm",
      execution: isOnGpu ? describeOnGpu(execution) : execution.reason,
      integerWeights,
    },
  };
}

const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** What lies in the data file ONNX Runtime reads itself. */
async function storedInside(stored: StoredData): Promise<Uint8Array> {
  if ("inline" in stored) return stored.inline;
  throw new Error(`${stored.location}: is not read here`);
}
