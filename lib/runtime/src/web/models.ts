/** The models of a page: what of them is in this browser, how each fits it, and those that are open. */
import { TinyGptvError, isAskedFor } from "@tinygptv/protocol";
import { chooseGpu, precisionFor } from "../engine/gpuChoice.ts";
import type { OnGpu, OnProcessor } from "../engine/gpuChoice.ts";
import { levelsOf } from "../engine/modelInfo.ts";
import { createModelPool } from "../engine/modelPool.ts";
import type { ModelLease, ModelPool } from "../engine/modelPool.ts";
import { fitOf, thisMachine } from "./fit.ts";
import type { Fit } from "./fit.ts";
import { pageGpu } from "./gpu.ts";
import { filesOf, findModel } from "./levels.ts";
import type { RemoteModel } from "./levels.ts";
import type { LoadProgress, PageLevel, WorkerOptions } from "./messages.ts";
import { once } from "./once.ts";
import { openModel } from "./openModel.ts";
import { createWasmSessions } from "./sessions.ts";
import { openStore } from "./store.ts";
import type { FileStore, RemoteFile } from "./store.ts";

/** Where ONNX Runtime's programs are; each beside its script unless given. */
export interface Programs {
  /** Address of `ort-wasm-simd-threaded.wasm` of the package onnxruntime-web. */
  wasm?: string;
  /** Address of its `ort-wasm-simd-threaded.jspi.wasm`, which only pages with a GPU load. */
  webgpu?: string;
}

export interface Models {
  pool: ModelPool;
  /** Downloads what is missing of a level, and opens it. @throws TinyGptvError "memory" where it does not fit */
  acquire(model: string | undefined, signal: AbortSignal): Promise<ModelLease>;
  levels(): Promise<PageLevel[]>;
  /** Deletes a level's files, but for those that other kept levels have too. */
  remove(model: string): Promise<void>;
}

interface Level {
  readonly id: string;
  readonly remote: RemoteModel;
  readonly level: string;
  readonly files: readonly RemoteFile[];
}

type Sizes = Pick<PageLevel, "downloadBytes" | "keptBytes">;

export async function openModels(
  { models: addresses, maxBatch, provider }: WorkerOptions,
  programs: Programs,
  tell: (progress: LoadProgress) => void,
): Promise<Models> {
  const store = await openStore();
  const sessions = once(() => createWasmSessions(programs.wasm));
  const gpu = pageGpu(programs.webgpu, store);
  const remotes = new Map<string, RemoteModel>();
  for (const address of addresses) remotes.set(address, await findModel(address, store));

  async function choose(level: string): Promise<OnProcessor | OnGpu> {
    if (provider === "wasm") return { provider: "cpu", reason: "asked for" };
    return chooseGpu(gpu, { isAsked: provider === "webgpu", precision: precisionFor(level) });
  }

  /** As far as can be known before anything is tried. */
  async function likely(): Promise<OnGpu["provider"] | "wasm"> {
    if (provider !== "auto") return provider;
    return (await gpu.whyNone()) === undefined ? "webgpu" : "wasm";
  }

  const pool = await createModelPool(
    {
      list: async (address, memory) => levelsOf(remotes.get(address)!.manifest, memory),
      async open(address, { level, ...options }) {
        const remote = remotes.get(address)!;
        const execution = await choose(level);
        const runsOn = execution.provider === "webgpu" ? "webgpu" : "wasm";
        expectFit(level, fitOf(remote.manifest, level, 0, await thisMachine(runsOn)));
        return openModel(remote, level, { store, sessions, execution }, options);
      },
    },
    {
      models: addresses,
      maxBatch,
      memoryLimit: undefined,
      cacheBytes: undefined,
      idleUnload: undefined,
    },
  );

  const known = new Map<string, Level>();
  for (const remote of remotes.values())
    for (const { id, level } of levelsOf(remote.manifest))
      known.set(id, { id, remote, level, files: filesOf(remote, level) });

  async function find(model: string | undefined): Promise<Level> {
    const levels = await pool.list();
    const found = levels.find((level) => isAskedFor(level, model));
    if (found) return known.get(found.id)!;
    const ids = levels.map(({ id }) => id).join(", ");
    throw new TinyGptvError("model", `model: want one of ${ids}, got ${model}`, {
      subject: model!,
    });
  }

  async function lookAt({ remote, level, files }: Level): Promise<Sizes & Fit> {
    const sizes = await sizesOf(store, files);
    const missing = sizes.downloadBytes - sizes.keptBytes;
    const machine = await thisMachine(await likely());
    return { ...sizes, ...fitOf(remote.manifest, level, missing, machine) };
  }

  return {
    pool,
    async acquire(model, signal) {
      const level = await find(model);
      if (!(await isKept(store, level))) {
        expectFit(level.id, await lookAt(level));
        await download(store, level, tell, signal);
      }
      return pool.acquire(level.id, signal);
    },
    levels: async () =>
      Promise.all(
        (await pool.list()).map(async (info) => ({
          ...info,
          ...(await lookAt(known.get(info.id)!)),
        })),
      ),
    async remove(model) {
      const level = await find(model);
      const wanted = new Set<string>();
      for (const other of known.values())
        if (other !== level && (await isKept(store, other)))
          for (const { sha256 } of other.files) wanted.add(sha256);
      for (const file of level.files) if (!wanted.has(file.sha256)) await store.remove(file);
    },
  };
}

/** @param level what messages call it @throws TinyGptvError "memory" */
function expectFit(level: string, { refusal }: Fit): void {
  if (refusal !== undefined) throw new TinyGptvError("memory", `${level}: ${refusal}`);
}

async function sizesOf(store: FileStore, files: readonly RemoteFile[]): Promise<Sizes> {
  const kept = await Promise.all(files.map((file) => store.keptBytes(file)));
  return { downloadBytes: sum(files.map(({ bytes }) => bytes)), keptBytes: sum(kept) };
}

async function isKept(store: FileStore, { files }: Level): Promise<boolean> {
  const { downloadBytes, keptBytes } = await sizesOf(store, files);
  return keptBytes === downloadBytes;
}

/** One file after the other, so that what is there is whole as early as can be. */
async function download(
  store: FileStore,
  { id, files }: Level,
  tell: (progress: LoadProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const total = sum(files.map(({ bytes }) => bytes));
  let before = 0;
  for (const file of files) {
    await store.keep(file, {
      signal,
      onBytes: (bytes) => tell({ model: id, done: before + bytes, total }),
    });
    before += file.bytes;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
