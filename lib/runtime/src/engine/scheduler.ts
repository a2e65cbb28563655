/**
 * Continuous batching. Decoders are generators that yield rows and receive
 * logits; the scheduler runs the rows of many decoders in common forward
 * passes. Decoders join and leave between two forwards, single positions and
 * chunks of long inputs take turns, and a decoder that ends, throws or is
 * aborted leaves without touching the others.
 */
import { setImmediate } from "node:timers/promises";

import type { Decoder, ForwardLogits, ForwardRow, LanguageModel } from "../decoding/sequence.ts";
import { TinyGptvError, abortError } from "@tinygptv/protocol";
import { checkRow, chunkOf, joinLogits, positions, takeBatch } from "./rowWork.ts";
import type { BatchLimits, RowWork } from "./rowWork.ts";

export interface DecodeOptions {
  /** The rows the decoder will yield at once at most (beams): it joins when so many are free. */
  rows?: number;
  signal?: AbortSignal;
}

export interface SchedulerGauges {
  /** Decoders in the running batch. */
  running: number;
  /** Decoders waiting to join. */
  queued: number;
  /** Rows of the forward pass under way or just done; 0 when idle. */
  batchSize: number;
}

export interface Scheduler {
  /**
   * Runs a decoder to its result, in order of arrival. A decoder of more rows
   * than `maxBatch` runs alone, its steps cut into several forwards.
   * @throws what the decoder throws; TinyGptvError `aborted` once the signal has
   *   fired and the decoder's `finally` has run; what `forward` rejected with.
   */
  run<Result>(decoder: Decoder<Result>, options?: DecodeOptions): Promise<Result>;
  gauges(): SchedulerGauges;
  /** Whether at most one decoder is here, running or waiting. */
  isAlone(): boolean;
}

/** One decoder on its way, its result type hidden in `finish`. */
interface Task {
  readonly decoder: Decoder<unknown>;
  readonly rows: number;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
  readonly finish: (result: unknown) => void;
  readonly fail: (error: unknown) => void;
  /** Rows of the current step that still wait or run. */
  pending: number;
  /** Logits of the current step, by row. */
  logits: Float32Array[];
  /** In a forward or inside its own code: it can only be stopped afterwards. */
  busy: boolean;
}

export function createScheduler(model: LanguageModel, limits: BatchLimits): Scheduler {
  const waiting: Task[] = [];
  const running = new Set<Task>();
  const ready: RowWork<Task>[] = [];
  let batchSize = 0;
  let preferLong = false;
  let awake = false;

  function run<Result>(decoder: Decoder<Result>, options: DecodeOptions = {}): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const task: Task = {
        decoder,
        rows: options.rows ?? 1,
        signal: options.signal,
        onAbort: () => {
          if (!task.busy) stop(task);
        },
        finish: (result) => resolve(result as Result),
        fail: reject,
        pending: 0,
        logits: [],
        busy: false,
      };
      if (task.signal?.aborted) return stop(task);
      task.signal?.addEventListener("abort", task.onAbort);
      waiting.push(task);
      if (!awake) {
        awake = true;
        void loop();
      }
    });
  }

  /** Runs forwards until nobody is left. Every error belongs to a task, so the loop itself never fails. */
  async function loop(): Promise<void> {
    while (waiting.length > 0 || running.size > 0) {
      // Forwards block the thread; this is where messages (new requests, cancels) come in.
      await setImmediate();
      admit();
      await step();
    }
    awake = false;
    batchSize = 0;
  }

  function admit(): void {
    let used = 0;
    for (const task of running) used += task.rows;
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (running.size > 0 && used + next.rows > limits.maxBatch) return;
      waiting.shift();
      used += next.rows;
      running.add(next);
      advance(next, () => next.decoder.next([]));
    }
  }

  async function step(): Promise<void> {
    const { batch, size } = takeBatch(ready, model.width, limits, preferLong);
    if (batch.length === 0) return;
    preferLong = size === 1;
    batchSize = batch.length;
    const tasks = new Set(batch.map((work) => work.task));
    for (const task of tasks) task.busy = true;
    let logits: ForwardLogits;
    try {
      logits = await model.forward(batch.map((work) => chunkOf(work, size, model.width)));
    } catch (error) {
      for (const task of tasks) fault(task, error);
      return;
    }
    batch.forEach((work, i) => collect(work, size, logits[i]));
    for (const task of tasks) settle(task);
  }

  /** Notes what a forward brought for one row; what is left of it goes to the end of the line. */
  function collect(work: RowWork<Task>, size: number, logits: Float32Array | undefined): void {
    work.done += size;
    const isDone = work.done === positions(work.row, model.width);
    if (logits && (isDone || work.row.logits === "all")) work.logits.push(logits);
    if (!isDone) {
      ready.push(work);
      return;
    }
    work.task.logits[work.index] = joinLogits(work);
    work.task.pending -= 1;
  }

  /** After a forward: stops a task aborted meanwhile, resumes one whose step is complete. */
  function settle(task: Task): void {
    task.busy = false;
    if (task.signal?.aborted) stop(task);
    else if (task.pending === 0) advance(task, () => task.decoder.next(task.logits));
  }

  /** Lets a decoder run to its next rows, its result or its error. */
  function advance(task: Task, resume: () => IteratorResult<readonly ForwardRow[], unknown>): void {
    task.busy = true;
    try {
      const { done, value } = resume();
      task.busy = false;
      if (done) {
        leave(task);
        task.finish(value);
      } else if (task.signal?.aborted) {
        stop(task);
      } else {
        enqueue(task, value);
      }
    } catch (error) {
      leave(task);
      task.fail(error);
    }
  }

  function enqueue(task: Task, rows: readonly ForwardRow[]): void {
    try {
      if (rows.length === 0)
        throw new TinyGptvError("engine", "decoder: want rows to run, got none");
      for (const row of rows) checkRow(row, model);
    } catch (error) {
      fault(task, error);
      return;
    }
    task.pending = rows.length;
    task.logits = [];
    rows.forEach((row, index) => ready.push({ task, index, row, done: 0, logits: [] }));
  }

  /** Throws an error into a decoder at its `yield`, where its `finally` releases what it holds. */
  function fault(task: Task, error: unknown): void {
    withdraw(task);
    advance(task, () => task.decoder.throw(error));
  }

  /** Ends an aborted task: its decoder's `finally` runs before the caller hears of it. */
  function stop(task: Task): void {
    leave(task);
    try {
      task.decoder.return(undefined);
      task.fail(abortError(task.signal));
    } catch (error) {
      task.fail(error);
    }
  }

  function leave(task: Task): void {
    task.signal?.removeEventListener("abort", task.onAbort);
    withdraw(task);
    running.delete(task);
    const place = waiting.indexOf(task);
    if (place >= 0) waiting.splice(place, 1);
  }

  function withdraw(task: Task): void {
    for (let i = ready.length - 1; i >= 0; i--) if (ready[i]?.task === task) ready.splice(i, 1);
  }

  return {
    run,
    gauges: () => ({ running: running.size, queued: waiting.length, batchSize }),
    isAlone: () => running.size + waiting.length <= 1,
  };
}
