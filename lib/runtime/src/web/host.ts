/** The engine in a page from inside: keeps models in the browser, and answers the page's calls with them. */
import { TinyGptvError } from "@tinygptv/protocol";
import { createCallee } from "../engine/callee.ts";
import { toWire } from "../engine/messages.ts";
import { levelsOf } from "../engine/modelInfo.ts";
import { createModelPool } from "../engine/modelPool.ts";
import type { ModelLease, ModelPool } from "../engine/modelPool.ts";
import { filesOf, findModel } from "./levels.ts";
import type { RemoteModel } from "./levels.ts";
import type { FromWorker, LoadProgress, PageLevel, ToWorker, WorkerOptions } from "./messages.ts";
import { openModel } from "./openModel.ts";
import { createWasmSessions } from "./sessions.ts";
import type { WasmSessions } from "./sessions.ts";
import { openStore } from "./store.ts";
import type { FileStore, RemoteFile } from "./store.ts";

/** What a worker is built with. */
export interface HostOptions {
  /** Address of `ort-wasm-simd-threaded.wasm` of the package onnxruntime-web; beside its script unless given. */
  wasm?: string;
}

/** The worker's end of its channel. */
interface Channel {
  postMessage(message: FromWorker): void;
  addEventListener(type: "message", listener: (event: { data: ToWorker }) => void): void;
}

/** Makes this worker the engine of the page that started it. */
export function hostModels({ wasm }: HostOptions = {}): void {
  const channel = globalThis as unknown as Channel;
  const options = Promise.withResolvers<WorkerOptions>();
  let opened: Promise<Models> | undefined;
  const tell = (progress: LoadProgress) => channel.postMessage({ type: "progress", progress });

  /** What could not be found out (nobody answered) is tried again by the next call. */
  function models(): Promise<Models> {
    opened ??= options.promise.then((given) => openModels(given, wasm, tell));
    opened.catch(() => (opened = undefined));
    return opened;
  }

  const callee = createCallee({
    models: async () => (await models()).pool.list(),
    acquire: async (model, signal) => (await models()).acquire(model, signal),
    send(news) {
      channel.postMessage(news);
      return undefined;
    },
  });
  const loads = new Map<number, AbortController>();

  /** Answers what is no call of a model. */
  async function reply(id: number, work: () => Promise<unknown>): Promise<void> {
    try {
      channel.postMessage({ type: "result", id, value: await work() });
    } catch (error) {
      channel.postMessage({ type: "error", id, error: toWire(error) });
    }
  }

  async function load(id: number, model: string | undefined): Promise<void> {
    const controller = new AbortController();
    loads.set(id, controller);
    try {
      (await (await models()).acquire(model, controller.signal)).release();
    } finally {
      loads.delete(id);
    }
  }

  channel.addEventListener("message", ({ data: message }) => {
    switch (message.type) {
      case "start":
        return options.resolve(message.options);
      case "call":
        return void callee.run(message.id, message.call);
      case "load":
        return void reply(message.id, () => load(message.id, message.model));
      case "levels":
        return void reply(message.id, async () => (await models()).levels());
      case "remove":
        return void reply(message.id, async () => (await models()).remove(message.model));
      case "cancel":
        callee.cancel(message.id);
        return loads.get(message.id)?.abort();
    }
  });
}

interface Models {
  pool: ModelPool;
  /** Downloads what is missing of a level, and opens it. */
  acquire(model: string | undefined, signal: AbortSignal): Promise<ModelLease>;
  levels(): Promise<PageLevel[]>;
  /** Deletes a level's files, but for those that other kept levels have too. */
  remove(model: string): Promise<void>;
}

async function openModels(
  { models: addresses, maxBatch }: WorkerOptions,
  wasm: string | undefined,
  tell: (progress: LoadProgress) => void,
): Promise<Models> {
  const store = await openStore();
  let sessions: Promise<WasmSessions> | undefined;
  const remotes = new Map<string, RemoteModel>();
  for (const address of addresses) remotes.set(address, await findModel(address, store));

  const pool = await createModelPool(
    {
      list: async (address, memory) => levelsOf(remotes.get(address)!.manifest, memory),
      async open(address, { level, ...options }) {
        sessions ??= createWasmSessions(wasm);
        // One that did not come is asked for again by the next.
        sessions.catch(() => (sessions = undefined));
        const given = { store, sessions: await sessions };
        return openModel(remotes.get(address)!, level, given, options);
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

  /** Level -> its files. */
  const files = new Map<string, RemoteFile[]>();
  for (const remote of remotes.values())
    for (const { id, level } of levelsOf(remote.manifest)) files.set(id, filesOf(remote, level));

  function find(model: string | undefined): string {
    const levels = pool.list();
    const found = levels.find(
      ({ id, name }) => model === undefined || id === model || name === model,
    );
    if (found) return found.id;
    const known = levels.map(({ id }) => id).join(", ");
    throw new TinyGptvError("model", `model: want one of ${known}, got ${model}`, {
      subject: model!,
    });
  }

  const isKept = async (id: string): Promise<boolean> => {
    const { downloadBytes, keptBytes } = await sizes(store, files.get(id)!);
    return keptBytes === downloadBytes;
  };

  return {
    pool,
    async acquire(model, signal) {
      const id = find(model);
      if (!(await isKept(id))) await download(store, id, files.get(id)!, tell, signal);
      return pool.acquire(id, signal);
    },
    levels: () =>
      Promise.all(
        pool
          .list()
          .map(async (info) => ({ ...info, ...(await sizes(store, files.get(info.id)!)) })),
      ),
    async remove(model) {
      const id = find(model);
      const others = [...files.keys()].filter((other) => other !== id);
      const kept = await Promise.all(
        others.map(async (other) => ((await isKept(other)) ? files.get(other)! : [])),
      );
      const wanted = new Set(kept.flat().map(({ sha256 }) => sha256));
      for (const file of files.get(id)!) if (!wanted.has(file.sha256)) await store.remove(file);
    },
  };
}

async function sizes(
  store: FileStore,
  files: readonly RemoteFile[],
): Promise<Pick<PageLevel, "downloadBytes" | "keptBytes">> {
  const kept = await Promise.all(files.map((file) => store.keptBytes(file)));
  return { downloadBytes: sum(files.map(({ bytes }) => bytes)), keptBytes: sum(kept) };
}

/** One file after the other, so that what is there is whole as early as can be. */
async function download(
  store: FileStore,
  model: string,
  files: readonly RemoteFile[],
  tell: (progress: LoadProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const total = sum(files.map(({ bytes }) => bytes));
  let before = 0;
  for (const file of files) {
    await store.keep(file, {
      signal,
      onBytes: (bytes) => tell({ model, done: before + bytes, total }),
    });
    before += file.bytes;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
