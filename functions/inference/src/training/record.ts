/** What is known of one training while the server runs, and is kept on the disk as it changes. */
import type { Logger } from "pino";
import type { FineTuningCheckpoint, FineTuningEvent, FineTuningJob } from "@tinygptv/protocol/http";
import { adapterId } from "@tinygptv/protocol";
import type { TrainingEvent } from "@tinygptv/train";
import { appendEvent, writeJob } from "./job.ts";
import type { StoredJob } from "./job.ts";
import { keptStates } from "./settings.ts";

/** Steps of a job that are told of; of a longer one every so many. */
const toldSteps = 1000;

export const now = () => Math.floor(Date.now() / 1000);

export class TrainingRecord {
  #stored: StoredJob;
  readonly #events: FineTuningEvent[];
  readonly #folder: string;
  readonly #log: Logger;
  /** Resolved when something has happened, and then another one. */
  #news = Promise.withResolvers<void>();
  /** Writes to the disk, one after the other. */
  #written: Promise<unknown> = Promise.resolve();

  /** @param folder of this job */
  constructor(stored: StoredJob, events: FineTuningEvent[], folder: string, log: Logger) {
    this.#stored = stored;
    this.#events = events;
    this.#folder = folder;
    this.#log = log;
  }

  get stored(): StoredJob {
    return this.#stored;
  }

  get job(): FineTuningJob {
    return this.#stored.job;
  }

  get isOver(): boolean {
    return ["succeeded", "failed", "cancelled"].includes(this.job.status);
  }

  /** In their order. */
  get events(): readonly FineTuningEvent[] {
    return this.#events;
  }

  change(job: Partial<FineTuningJob>): void {
    this.#stored = { ...this.#stored, job: { ...this.job, ...job } };
  }

  /** Writes the job as it is now. */
  keep(): Promise<void> {
    const stored = this.#stored;
    const done = this.#written.then(() => writeJob(this.#folder, stored));
    this.#written = done.catch((error: unknown) =>
      this.#log.error({ err: error }, "training not kept"),
    );
    return done;
  }

  async setStatus(
    status: FineTuningJob["status"],
    message: string,
    rest: Partial<FineTuningJob> = {},
  ): Promise<void> {
    this.change({ status, finished_at: null, error: null, estimated_finish: null, ...rest });
    if (this.isOver) this.change({ finished_at: now() });
    await this.keep();
    this.tell(message, { status }, status === "failed" ? "error" : "info");
  }

  tell(
    message: string,
    data: NonNullable<FineTuningEvent["data"]>,
    level: FineTuningEvent["level"] = "info",
  ): void {
    const event: FineTuningEvent = {
      id: `ftevent-${this.#events.length + 1}`,
      object: "fine_tuning.job.event",
      created_at: now(),
      level,
      message,
      type: data.step === undefined ? "message" : "metrics",
      data,
    };
    this.#events.push(event);
    this.#written = this.#written
      .then(() => appendEvent(this.#folder, event))
      .catch((error: unknown) => this.#log.error({ err: error }, "event of a training not kept"));
    this.wake();
  }

  /** What its process tells, as events and figures of the job. */
  take(event: TrainingEvent): void {
    const { steps, trained_tokens } = this.job;
    switch (event.type) {
      case "ready": {
        const { from } = event;
        this.change({ step: from });
        for (const damaged of event.damaged) this.tell(`left out: ${damaged}`, {}, "warn");
        return this.tell(`${event.steps} steps, after step ${from}`, { from, steps: event.steps });
      }
      case "step": {
        const { step, loss, rate, tokens, seconds } = event;
        this.change({
          step,
          trained_tokens: (trained_tokens ?? 0) + tokens,
          estimated_finish: Math.ceil(Date.now() / 1000 + (steps - step) * seconds),
        });
        if (step % Math.ceil(steps / toldSteps) !== 0) return;
        return this.tell(`step ${step} of ${steps}: loss ${loss.toFixed(4)}`, {
          step,
          train_loss: loss,
          learning_rate: rate,
          tokens,
          seconds,
        });
      }
      case "evaluated": {
        const evaluations = event.evaluations.map(({ name, loss, right, examples }) => ({
          name,
          loss,
          right,
          examples,
        }));
        const words = evaluations.map(
          (one) => `${one.name}: ${one.right} of ${one.examples} right`,
        );
        return this.tell(words.join("; "), { step: event.step, evaluations });
      }
      case "saved":
        void this.keep().catch(() => {}); // it has been logged, and the run goes on
        return this.tell(`saved after step ${event.step}`, { saved: event.step });
    }
  }

  /** What happens after an event, until the job is over, `signal` or `isClosing`. */
  async *follow(
    after: number,
    signal: AbortSignal,
    isClosing: () => boolean,
  ): AsyncGenerator<FineTuningEvent> {
    const gone = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => gone.resolve(), { once: true });
    for (let at = after; !signal.aborted;) {
      const news = this.#news.promise;
      const happened = this.#events.slice(at);
      yield* happened;
      at += happened.length;
      if (isClosing() || this.isOver) return;
      await Promise.race([news, gone.promise]);
    }
  }

  /** Lets those that follow look again. */
  wake(): void {
    const { resolve } = this.#news;
    this.#news = Promise.withResolvers();
    resolve();
  }

  /** All that was to be written has been. */
  async written(): Promise<void> {
    await this.#written;
  }

  /** States that it can go on from, the newest first. */
  checkpoints(): FineTuningCheckpoint[] {
    const { id, model } = this.job;
    const losses = new Map(this.#events.map(({ data }) => [data?.step, data?.train_loss]));
    return this.#events
      .flatMap(({ created_at, data }) =>
        data?.saved === undefined ? [] : [{ created_at, step: data.saved }],
      )
      .slice(-keptStates)
      .toReversed()
      .map(({ created_at, step }) => {
        const loss = losses.get(step);
        return {
          id: `ftckpt-${id.slice("ftjob-".length)}-${step}`,
          object: "fine_tuning.job.checkpoint",
          created_at,
          fine_tuning_job_id: id,
          fine_tuned_model_checkpoint: adapterId(model, this.#stored.adapter),
          step_number: step,
          metrics: { step, ...(loss !== undefined && { train_loss: loss }) },
        };
      });
  }
}
