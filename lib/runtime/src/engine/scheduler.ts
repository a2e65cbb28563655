/**
 * Continuous batching. Decoders are generators that yield rows and receive
 * logits; the scheduler runs the rows of many decoders in common forward
 * passes. Decoders join and leave between two forwards, and one that ends,
 * throws or is aborted leaves without touching the others.
 *
 * Inputs run in short chunks (`promptChunk`). After one that others had to wait
 * for, single positions (decoding) have as much time before the next one; short
 * inputs go before long ones.
 *
 * Clients take turns: in the line, in each forward, and where the decoders' own
 * code takes long (masks of a schema), which pauses for as long as it took
 * while others have work.
 */

import type { Decoder, ForwardLogits, ForwardRow, LanguageModel } from "../decoding/sequence.ts";
import { TinyGptvError, abortError } from "@tinygptv/protocol";
import { pause } from "../pause.ts";
import { areNumbers } from "../session/pass.ts";
import { createPlaces } from "./places.ts";
import type { Claim } from "./places.ts";
import {
  byLength,
  checkRow,
  chunkOf,
  chunkSize,
  inTurns,
  isStep,
  joinLogits,
  promptChunk,
  remaining,
} from "./rowWork.ts";
import type { RowWork } from "./rowWork.ts";

/** What bounds forward passes. */
export interface BatchLimits {
  /** Most rows in one forward. */
  readonly maxBatch: number;
  /** Positions after which inputs are cut; `promptChunk` unless given. */
  readonly chunk?: number;
  /** Bytes of keys and values that all decoders together may come to hold; no limit unless given. */
  readonly cacheBytes?: number | undefined;
  /** Hears how much of them is promised, before anybody joins and after anybody leaves: what else is kept there gives way. */
  readonly onReserve?: (bytes: number) => void;
}

export interface DecodeOptions {
  /** The rows the decoder will yield at once at most (beams): it joins when so many are free. */
  rows?: number;
  /** What its sequences may come to take in the cache: it joins when so much is not promised to others. */
  bytes?: number;
  /** On whose behalf. */
  client?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface SchedulerGauges {
  /** Decoders in the running batch. */
  running: number;
  /** Decoders waiting to join. */
  queued: number;
  /** Rows of the forward pass under way or just done; 0 when idle. */
  batchSize: number;
}

/** Runs decoders together. */
export interface Scheduler {
  /**
   * Runs a decoder to its result, in order of arrival and turns of clients. A
   * decoder of more rows than `maxBatch` has them cut into several forwards.
   * @throws TinyGptvError `context` for one that asks for more cache than there is;
   *   what the decoder throws; TinyGptvError `aborted` once the signal has
   *   fired and the decoder's `finally` has run; what `forward` rejected with.
   */
  run<Result>(decoder: Decoder<Result>, options?: DecodeOptions): Promise<Result>;
  /** Who is being served right now. */
  gauges(): SchedulerGauges;
  /** Whether at most one decoder is here, running or waiting. */
  isAlone(): boolean;
}

/** One decoder on its way, its result type hidden in `finish`. */
interface Task extends Claim {
  readonly bytes: number;
  readonly decoder: Decoder<unknown>;
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

/** Milliseconds that a decoder's own code may take without a pause after it. */
const briefly = 5;

/** The rows of one forward pass, each with its next `size` positions. */
interface Pass {
  readonly batch: readonly RowWork<Task>[];
  readonly size: number;
}

/**
 * A scheduler for one language model, which nobody else may run meanwhile.
 * @param now milliseconds, never going back
 */
export function createScheduler(
  model: LanguageModel,
  limits: BatchLimits,
  now: () => number = () => performance.now(),
): Scheduler {
  const { maxBatch, chunk = promptChunk, cacheBytes = Infinity } = limits;
  const places = createPlaces<Task>(maxBatch, cacheBytes);
  const ready: RowWork<Task>[] = [];
  /** Tasks with a complete step whose decoders go on next. */
  const complete = new Set<Task>();
  /** By client: the forward it was last in, and until when its decoders' code pauses. */
  const served = new Map<string, number>();
  const pausesUntil = new Map<string, number>();
  /** Milliseconds that single positions may still run before the next chunk of an input. */
  let owed = 0;
  let forwards = 0;
  let batchSize = 0;
  let awake = false;

  function run<Result>(decoder: Decoder<Result>, options: DecodeOptions = {}): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const task: Task = {
        decoder,
        client: options.client ?? "",
        units: Math.min(options.rows ?? 1, maxBatch),
        bytes: options.bytes ?? 0,
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
      if (task.bytes > cacheBytes) return reject(tooLarge(task.bytes, cacheBytes));
      task.signal?.addEventListener("abort", task.onAbort);
      places.add(task);
      if (!awake) {
        awake = true;
        void loop();
      }
    });
  }

  /** Runs forwards until nobody is left. Every error belongs to a task, so the loop itself never fails. */
  async function loop(): Promise<void> {
    while (places.inside.size + places.waiting() > 0) {
      // Forwards block the thread; this is where messages (new requests, cancels) come in.
      await pause();
      const joining = places.admit();
      if (joining.length > 0) limits.onReserve?.(places.reserved());
      for (const task of joining) advance(task, () => task.decoder.next([]));
      await step();
      goOn();
    }
    awake = false;
    batchSize = 0;
    served.clear();
    pausesUntil.clear();
  }

  /** Lets decoders go on, but those of clients that pause while others have work. */
  function goOn(): void {
    for (const task of complete) {
      const { client } = task;
      if (isPaused(client)) continue;
      complete.delete(task);
      const begin = now();
      advance(task, () => task.decoder.next(task.logits));
      const end = now();
      if (end - begin > briefly) pausesUntil.set(client, end + (end - begin));
    }
  }

  /** Nobody pauses where that would leave the model idle. */
  function isPaused(client: string): boolean {
    const time = now();
    const pauses = (one: string) => time < (pausesUntil.get(one) ?? 0);
    if (!pauses(client)) return false;
    const isOther = (task: Task) => task.client !== client;
    return (
      ready.some(({ task }) => isOther(task)) ||
      [...complete].some((task) => isOther(task) && !pauses(task.client))
    );
  }

  /** What runs next: single positions, or a chunk of an input. */
  function nextPass(): Pass | undefined {
    const { width } = model;
    const steps = ready.filter((work) => isStep(work, width));
    const inputs = ready.filter((work) => !isStep(work, width));
    if (steps.length > 0 && (owed > 0 || inputs.length === 0))
      return { batch: inTurns(steps, served).slice(0, maxBatch), size: 1 };
    const [first, ...others] = inTurns(byLength(inputs, width), served);
    if (!first) return undefined;
    const size = chunkSize(first, width, chunk);
    // Others of the same length fit without padding; a whole chunk is a pass by itself.
    const alike = others.filter((work) => chunkSize(work, width, chunk) === size);
    const batch = [first, ...alike].slice(0, Math.min(maxBatch, Math.floor(chunk / size)));
    const clients = new Set(batch.map(({ task }) => task.client));
    for (const work of inputs) if (clients.has(work.task.client)) work.passedOver += 1;
    return { batch, size };
  }

  async function step(): Promise<void> {
    const pass = nextPass();
    if (!pass) return;
    const { batch, size } = pass;
    withdraw((work) => batch.includes(work));
    batchSize = batch.length;
    forwards += 1;
    const tasks = new Set(batch.map((work) => work.task));
    for (const task of tasks) {
      task.busy = true;
      served.set(task.client, forwards);
    }
    const begin = now();
    let logits: ForwardLogits;
    try {
      logits = await model.forward(batch.map((work) => chunkOf(work, size, model.width)));
    } catch (error) {
      for (const task of tasks) fault(task, error);
      return;
    }
    account(pass, now() - begin);
    batch.forEach((work, i) => collect(work, size, logits[i]));
    const broken = new Set(batch.filter((_, i) => !areNumbers(logits[i]!)).map(({ task }) => task));
    for (const task of tasks) {
      if (broken.has(task)) fault(task, notNumbers());
      else settle(task);
    }
  }

  /** Has single positions make up for waiting. */
  function account({ batch }: Pass, milliseconds: number): void {
    if (batch.every((work) => isStep(work, model.width))) {
      owed = Math.max(0, owed - milliseconds);
      return;
    }
    owed = ready.some((work) => isStep(work, model.width)) ? milliseconds : 0;
  }

  /** Notes what a forward brought for one row; what is left of it goes to the end of the line. */
  function collect(work: RowWork<Task>, size: number, logits: Float32Array | undefined): void {
    work.done += size;
    work.passedOver = 0;
    const isDone = remaining(work, model.width) === 0;
    if (logits && (isDone || work.row.logits === "all")) work.logits.push(logits);
    if (!isDone) {
      ready.push(work);
      return;
    }
    work.task.logits[work.index] = joinLogits(work);
    work.task.pending -= 1;
  }

  /** After a forward: stops a task aborted meanwhile, notes one whose step is complete. */
  function settle(task: Task): void {
    task.busy = false;
    if (task.signal?.aborted) stop(task);
    else if (task.pending === 0) complete.add(task);
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
    rows.forEach((row, index) =>
      ready.push({ task, index, row, done: 0, passedOver: 0, logits: [] }),
    );
  }

  /** Throws an error into a decoder at its `yield`, where its `finally` releases what it holds. */
  function fault(task: Task, error: unknown): void {
    forget(task);
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
    forget(task);
    places.remove(task);
    limits.onReserve?.(places.reserved());
  }

  function forget(task: Task): void {
    complete.delete(task);
    withdraw((work) => work.task === task);
  }

  function withdraw(isOut: (work: RowWork<Task>) => boolean): void {
    ready.splice(0, ready.length, ...ready.filter((work) => !isOut(work)));
  }

  return {
    run,
    gauges: () => ({ running: places.inside.size, queued: places.waiting(), batchSize }),
    isAlone: () => places.inside.size + places.waiting() <= 1,
  };
}

const notNumbers = () =>
  new TinyGptvError(
    "engine",
    "logits: want numbers, got infinity or none at all: what the model computes is too large for its precision",
  );

function tooLarge(bytes: number, limit: number): TinyGptvError {
  const megabytes = (count: number) => `${Math.ceil(count / 1e6)} MB`;
  return new TinyGptvError(
    "context",
    `cache: want at most ${megabytes(limit)}, got ${megabytes(bytes)} for prompt and answer; want a shorter prompt, fewer new tokens or fewer beams`,
    { subject: "prompt" },
  );
}
