/**
 * The engine process from inside: answers the supervisor's calls with the
 * models it hosts. A module that calls `hostModels` can be run as the process.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import { DeviceLost } from "../session/deviceLost.ts";
import { createCallee } from "./callee.ts";
import type { Model } from "../model.ts";
import type { FromChild, ToChild } from "./messages.ts";
import { toWire } from "./messages.ts";
import { createModelPool, noCounters } from "./modelPool.ts";
import type { ModelOpener, ModelPool } from "./modelPool.ts";
import { startPulse } from "./pulse.ts";
import { createPictureReceiver } from "./sentPictures.ts";

/** To the supervisor. Resolves at once, unless the channel is backed up: then when it has taken the message. */
export function send(message: FromChild): Promise<void> | undefined {
  if (!process.send) throw new TinyGptvError("engine", "not started by a supervisor");
  const taken = Promise.withResolvers<void>();
  // The callback also keeps a closed channel from throwing; `disconnect` ends the process.
  const goOn = process.send(message, undefined, undefined, () => taken.resolve());
  return goOn ? undefined : taken.promise;
}

/** Makes this process an engine process. @throws TinyGptvError where no supervisor started it. */
export function hostModels(opener: ModelOpener): void {
  let pool: ModelPool | undefined;
  const pictures = createPictureReceiver();

  function sendStatus(): void {
    const loadedModels = pool?.loaded() ?? [];
    void send({
      type: "status",
      status: {
        ...(pool?.counters() ?? noCounters()),
        rssBytes: process.memoryUsage.rss(),
        loadedModels: loadedModels.map((info) => info.id),
        executionProviders: Object.fromEntries(
          loadedModels.map((info) => [info.id, info.executionProvider ?? "unknown"]),
        ),
      },
    });
  }

  function ready(): ModelPool {
    if (!pool) throw new TinyGptvError("engine", "called before it was ready");
    return pool;
  }

  const callee = createCallee({
    models: async () => ready().list(),
    acquire: async (model, signal) => ready().acquire(model, signal),
    send(news, thrown) {
      const sent = send(news);
      // One device a process: only another process has another one.
      if (thrown instanceof DeviceLost) void send({ type: "lost", because: thrown.message });
      return sent;
    },
    onDone: sendStatus,
  });

  async function open(...asked: Parameters<ModelOpener["open"]>): Promise<Model> {
    const model = await opener.open(...asked);
    void send({ type: "loaded", model: model.info });
    return model;
  }

  async function start(message: Extract<ToChild, { type: "start" }>): Promise<void> {
    setInterval(sendStatus, message.options.heartbeat);
    try {
      await startPulse(message.options.heartbeat);
      pool = await createModelPool({ ...opener, open }, message.options);
      void send({ type: "ready" });
      sendStatus();
    } catch (error) {
      await send({ type: "startFailed", error: toWire(error) });
    }
  }

  process.on("message", (message: ToChild) => {
    switch (message.type) {
      case "start":
        return void start(message);
      case "picture":
        return pictures.keep(message.picture, message.bytes);
      case "forgetPicture":
        return pictures.forget(message.picture);
      case "call":
        return void callee.run(message.id, pictures.complete(message.call));
      case "cancel":
        return callee.cancel(message.id);
      case "close":
        return void Promise.resolve(pool?.close()).finally(() => process.exit(0));
    }
  });
  // A process whose supervisor is gone has nobody to answer.
  process.on("disconnect", () => process.exit(0));
  // Ctrl-C and a service manager's stop signal reach the whole group: the
  // supervisor decides, so that a graceful stop can finish what runs.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
}
