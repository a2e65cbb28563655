/** A level of a model that is kept in the browser, opened: the same assembly as in Node, out of other parts. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { readTokenizer } from "@tinygptv/model";
import { assembleModel } from "../engine/assembleModel.ts";
import type { AssemblyOptions, Platform } from "../engine/assembleModel.ts";
import { describe } from "../engine/modelInfo.ts";
import { graphsOf } from "../engine/parts.ts";
import type { OpenableModel } from "../engine/parts.ts";
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

/** @throws TinyGptvError "model" naming the file at fault, "io" where one is not kept */
export async function openModel(
  remote: RemoteModel,
  level: string,
  { store, sessions }: { store: FileStore; sessions: WasmSessions },
  options: AssemblyOptions,
): Promise<Model> {
  const { manifest } = remote;
  const graphs = graphsOf(manifest, level);
  const read = (path: string) => store.read(fileOf(remote, path));
  const isListed = (path: string) => manifest.files.some((file) => file.path === path);
  let roundsToOneRange = false;

  const openable: OpenableModel = {
    manifest,
    nameOf: (path) => remote.address + path,
    graphs,
    async openGraph(path) {
      const graph = await read(path);
      roundsToOneRange ||= new TextDecoder("latin1")
        .decode(graph)
        .includes("DynamicQuantizeMatMul");
      const data = `${path}.data`;
      const weights = isListed(data)
        ? { path: data.slice(data.lastIndexOf("/") + 1), data: await read(data) }
        : undefined;
      return sessions.open({ name: remote.address + path, graph, weights });
    },
    openTokenizer: () =>
      readTokenizer({
        name: remote.address + manifest.tokenizer,
        async read(file) {
          const path = `${manifest.tokenizer}/${file}`;
          return isListed(path) ? new TextDecoder().decode(await read(path)) : undefined;
        },
      }),
    async openEmbeddings() {
      const { file, dtype } = manifest.embeddings;
      const { vocabSize: rows, width } = manifest.config.phi;
      const table = { dtype, rows, width };
      const content = await read(file);
      checkTableSize(remote.address + file, table, content.length);
      const length = rowBytesOf(table);
      const lookUp = lookUpBy(table, (row) => content.subarray(row * length, (row + 1) * length));
      return { lookUp, close() {} };
    },
  };

  const model = await assembleModel(openable, describe(manifest, level, options), page, options);
  const integerWeights = !roundsToOneRange
    ? undefined
    : (await sessions.cutsOffSums())
      ? "unsigned"
      : "signed";
  return {
    ...model,
    info: { ...model.info, loaded: true, executionProvider: "wasm", integerWeights },
  };
}
