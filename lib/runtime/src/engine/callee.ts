/** Carries out calls with the models of a place: a process (host.ts) or a page's worker. */
import type { Call, CallResults, FromChild } from "./messages.ts";
import { toWire } from "./messages.ts";
import type { ModelLease } from "./modelPool.ts";
import type { ModelInfo } from "@tinygptv/protocol";

/** What becomes of a call, for the caller. */
export type CallNews = Extract<FromChild, { type: "event" | "result" | "error" }>;

export interface CalleeOptions {
  /** All levels there are. */
  models(): Promise<ModelInfo[]>;
  /** @throws what stands in the way of a level */
  acquire(model: string | undefined, signal: AbortSignal): Promise<ModelLease>;
  /**
   * Resolves at once, unless the way is backed up: then when it has taken the message.
   * @param thrown what an error is the message of
   */
  send(message: CallNews, thrown?: unknown): Promise<void> | undefined;
  /** Runs after a call has let go of its model, before its outcome is sent. */
  onDone?: () => void;
}

export interface Callee {
  run(id: number, call: Call): Promise<void>;
  cancel(id: number): void;
}

export function createCallee({ models, acquire, send, onDone }: CalleeOptions): Callee {
  const calls = new Map<number, AbortController>();

  async function answer(
    id: number,
    call: Exclude<Call, { method: "models" }>,
    { model, adapter }: ModelLease,
    signal: AbortSignal,
  ): Promise<CallResults[keyof CallResults]> {
    const options = { signal, client: call.client, adapter };
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

  return {
    async run(id, call) {
      const controller = new AbortController();
      calls.set(id, controller);
      let lease: ModelLease | undefined;
      let news: CallNews;
      let thrown: unknown;
      try {
        if (call.method === "models") {
          news = { type: "result", id, value: await models() };
        } else {
          lease = await acquire(call.model, controller.signal);
          news = {
            type: "result",
            id,
            value: await answer(id, call, lease, controller.signal),
          };
        }
      } catch (error) {
        thrown = error;
        news = { type: "error", id, error: toWire(error) };
      }
      lease?.release();
      calls.delete(id);
      onDone?.();
      void send(news, thrown);
    },
    cancel: (id) => calls.get(id)?.abort(),
  };
}
