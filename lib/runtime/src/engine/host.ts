/**
 * The engine process from inside: answers the supervisor's calls with the
 * models it hosts. A module that calls `hostModels` can be run as the process.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import type { Call, CallResults, FromChild, ToChild } from "./messages.ts";
import { toWire } from "./messages.ts";
import { createModelPool, noCounters } from "./modelPool.ts";
import type { ModelLease, ModelOpener, ModelPool } from "./modelPool.ts";
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

async function answer(
  id: number,
  call: Exclude<Call, { method: "models" }>,
  { model }: ModelLease,
  signal: AbortSignal,
): Promise<CallResults[keyof CallResults]> {
  const options = { signal, client: call.client };
  switch (call.method) {
    case "generate":
      for await (const event of model.generate(call.request, call.images, options)) {
        await send({ type: "event", id, event });
      }
      return undefined;
    case "score":
      return model.score(call.request, call.images, options);
    case "tokenize":
      return model.tokenize(call.text);
    case "detokenize":
      return model.detokenize(call.ids);
    case "preprocess":
      return model.preprocess(call.image, call.mode, options);
  }
}

/** Makes this process an engine process. @throws TinyGptvError where no supervisor started it. */
export function hostModels(opener: ModelOpener): void {
  let pool: ModelPool | undefined;
  const calls = new Map<number, AbortController>();
  const pictures = createPictureReceiver();

  function sendStatus(): void {
    const loadedModels = pool?.list().filter((info) => info.loaded) ?? [];
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

  async function run(id: number, call: Call): Promise<void> {
    const controller = new AbortController();
    calls.set(id, controller);
    let lease: ModelLease | undefined;
    let reply: FromChild;
    try {
      if (!pool) throw new TinyGptvError("engine", "called before it was ready");
      if (call.method === "models") {
        reply = { type: "result", id, value: pool.list() };
      } else {
        lease = await pool.acquire(call.model, controller.signal);
        reply = { type: "result", id, value: await answer(id, call, lease, controller.signal) };
      }
    } catch (error) {
      reply = { type: "error", id, error: toWire(error) };
    }
    lease?.release();
    calls.delete(id);
    sendStatus();
    void send(reply);
  }

  async function start(message: Extract<ToChild, { type: "start" }>): Promise<void> {
    setInterval(sendStatus, message.options.heartbeat);
    try {
      await startPulse(message.options.heartbeat);
      pool = await createModelPool(opener, message.options);
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
        return void run(message.id, pictures.complete(message.call));
      case "cancel":
        return calls.get(message.id)?.abort();
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
