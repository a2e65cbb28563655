/** The engine in a page from inside: keeps models in the browser, and answers the page's calls with them. */
import { createCallee } from "../engine/callee.ts";
import { toWire } from "../engine/messages.ts";
import { DeviceLost } from "../session/deviceLost.ts";
import type { FromWorker, LoadProgress, ToWorker, WorkerOptions } from "./messages.ts";
import { openModels } from "./models.ts";
import type { Programs } from "./models.ts";
import { once } from "./once.ts";

/** The worker's end of its channel. */
interface Channel {
  postMessage(message: FromWorker): void;
  addEventListener(type: "message", listener: (event: { data: ToWorker }) => void): void;
}

/** Makes this worker the engine of the page that started it. @param programs those of ONNX Runtime are kept where addresses are given */
export function hostModels(programs: Programs = {}): void {
  const channel = globalThis as unknown as Channel;
  const options = Promise.withResolvers<WorkerOptions>();
  const tell = (progress: LoadProgress) => channel.postMessage({ type: "progress", progress });

  const models = once(async () => openModels(await options.promise, programs, tell));

  const callee = createCallee({
    models: async () => (await models()).pool.list(),
    acquire: async (model, signal) => (await models()).acquire(model, signal),
    send(news, thrown) {
      channel.postMessage(lostBy(thrown) ?? news);
      return undefined;
    },
  });
  const loads = new Map<number, AbortController>();

  /** Answers what is no call of a model. */
  async function reply(id: number, work: () => Promise<unknown>): Promise<void> {
    try {
      channel.postMessage({ type: "result", id, value: await work() });
    } catch (error) {
      channel.postMessage(lostBy(error) ?? { type: "error", id, error: toWire(error) });
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

/** What ends all calls, the one that met it included. */
function lostBy(error: unknown): FromWorker | undefined {
  return error instanceof DeviceLost ? { type: "lost", because: error.message } : undefined;
}
