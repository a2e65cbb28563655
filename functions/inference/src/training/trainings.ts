/**
 * Fine-tuning as work of the server: jobs outlive the request that made them and the server itself.
 * One is run at a time, the others wait in the order they came.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { adapterNames, cleanUpAfterKilled } from "@tinygptv/model/disk";
import { TinyGptvError, adapterId } from "@tinygptv/protocol";
import type {
  FineTuningCheckpoint,
  FineTuningEstimate,
  FineTuningEvent,
  FineTuningJob,
  FineTuningRequest,
} from "@tinygptv/protocol/http";
import type { TrainingEvent } from "@tinygptv/train";
import { HttpError, toHttpError } from "../errors.ts";
import type { Asker, PictureLoader } from "../images/loadPictures.ts";
import { appendEvent, places, readEvents, readJobs, writeJob } from "./job.ts";
import type { StoredJob } from "./job.ts";
import { writeRows } from "./rows.ts";
import { runTask } from "./runTask.ts";
import { hyperparametersOf, runFileOf } from "./settings.ts";

/** Jobs that wait and run. */
const longestLine = 8;
/** Steps of a job that are told of; of a longer one every so many. */
const toldSteps = 1000;

/** Who wants a training, of which model, and how its pictures are loaded. */
export interface TrainingCall {
  readonly asker: Asker;
  readonly load: PictureLoader;
  /** Full id of a level: `nano:fp32`. */
  readonly model: string;
}

export interface Trainings {
  /** @throws HttpError naming what is wrong with the request or its rows, queue_full, storage_full */
  create(request: FineTuningRequest, call: TrainingCall): Promise<FineTuningJob>;
  /** Runs two steps. @throws HttpError as of `create`; queue_full while a training runs */
  estimate(request: FineTuningRequest, call: TrainingCall): Promise<FineTuningEstimate>;
  /** A tenant's jobs, the newest first. */
  list(tenant: string): FineTuningJob[];
  /** These and the next: @throws HttpError job_not_found */
  get(tenant: string, id: string): FineTuningJob;
  /** Stops it where it stands; what was saved stays. */
  cancel(tenant: string, id: string): Promise<FineTuningJob>;
  /** Goes on after the step that was saved last. */
  resume(tenant: string, id: string): Promise<FineTuningJob>;
  /** Forgets a job that does not run, its rows and saved states; what came of it stays beside the model. */
  remove(tenant: string, id: string): Promise<void>;
  /** In their order. */
  events(tenant: string, id: string): readonly FineTuningEvent[];
  /** What happens after an event, until the job has ended. */
  follow(
    tenant: string,
    id: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<FineTuningEvent>;
  /** Those that it can go on from, the newest first. */
  checkpoints(tenant: string, id: string): FineTuningCheckpoint[];
  /** Ends what runs; it goes on when the folder is opened again. */
  close(): Promise<void>;
}

export interface TrainingsOptions {
  readonly folder: string;
  /** Folders of models by name. */
  readonly models: ReadonlyMap<string, string>;
  readonly limits: {
    readonly trainings: number;
    readonly trainingImageBytes: number;
    readonly imageFetchMs: number;
  };
  readonly log: Logger;
}
export type OpenTrainings = (options: TrainingsOptions) => Promise<Trainings>;

interface Entry {
  stored: StoredJob;
  readonly events: FineTuningEvent[];
  /** Resolved when something has happened, and then another one. */
  news: PromiseWithResolvers<void>;
  stop?: AbortController;
  /** Writes to the disk, one after the other. */
  written: Promise<unknown>;
}

const now = () => Math.floor(Date.now() / 1000);
const isOver = ({ status }: FineTuningJob) =>
  status === "succeeded" || status === "failed" || status === "cancelled";

/** Opens the trainings of a folder, and goes on with those that the last server left. */
export const openTrainings: OpenTrainings = async ({ folder, models, limits, log }) => {
  await mkdir(folder, { recursive: true });
  const entries = new Map<string, Entry>();
  let closing = false;
  let estimating = false;
  let running: Promise<void> | undefined;

  const folderOf = (id: string) => join(folder, id);
  for (const stored of await readJobs(folder)) {
    const { id } = stored.job;
    await cleanUpAfterKilled(places(folderOf(id)).job);
    entries.set(id, { stored, events: await readEvents(folderOf(id)), ...fresh() });
  }

  const find = (tenant: string, id: string): Entry => {
    const entry = entries.get(id);
    if (entry?.stored.tenant === tenant) return entry;
    throw new HttpError("job_not_found", `there is no training ${id.slice(0, 80)}`, {
      param: "id",
    });
  };

  const change = (entry: Entry, job: Partial<FineTuningJob>) => {
    entry.stored = { ...entry.stored, job: { ...entry.stored.job, ...job } };
  };

  const keep = (entry: Entry): Promise<void> => {
    const { stored } = entry;
    const done = entry.written.then(() => writeJob(folderOf(stored.job.id), stored));
    entry.written = done.catch((error: unknown) => log.error({ err: error }, "training not kept"));
    return done;
  };

  const tell = (
    entry: Entry,
    message: string,
    data: NonNullable<FineTuningEvent["data"]>,
    level: FineTuningEvent["level"] = "info",
  ) => {
    const event: FineTuningEvent = {
      id: `ftevent-${entry.events.length + 1}`,
      object: "fine_tuning.job.event",
      created_at: now(),
      level,
      message,
      type: data.step === undefined ? "message" : "metrics",
      data,
    };
    entry.events.push(event);
    const { id } = entry.stored.job;
    entry.written = entry.written
      .then(() => appendEvent(folderOf(id), event))
      .catch((error: unknown) => log.error({ err: error }, "event of a training not kept"));
    const { news } = entry;
    entry.news = Promise.withResolvers();
    news.resolve();
  };

  const setStatus = async (
    entry: Entry,
    status: FineTuningJob["status"],
    message: string,
    rest: Partial<FineTuningJob> = {},
  ) => {
    change(entry, { status, finished_at: null, error: null, estimated_finish: null, ...rest });
    if (isOver(entry.stored.job)) change(entry, { finished_at: now() });
    await keep(entry);
    tell(entry, message, { status }, status === "failed" ? "error" : "info");
  };

  /** What a process tells, as events and figures of its job. */
  const follow = (entry: Entry) => (event: TrainingEvent) => {
    const { job } = entry.stored;
    switch (event.type) {
      case "ready": {
        const { from, steps } = event;
        change(entry, { step: from });
        for (const damaged of event.damaged) tell(entry, `left out: ${damaged}`, {}, "warn");
        return tell(entry, `${steps} steps, after step ${from}`, { from, steps });
      }
      case "step": {
        const { step, loss, rate, tokens, seconds } = event;
        const left = (job.steps - step) * seconds;
        change(entry, {
          step,
          trained_tokens: (job.trained_tokens ?? 0) + tokens,
          estimated_finish: Math.ceil(Date.now() / 1000 + left),
        });
        if (step % Math.ceil(job.steps / toldSteps) !== 0) return;
        return tell(entry, `step ${step} of ${job.steps}: loss ${loss.toFixed(4)}`, {
          step,
          train_loss: loss,
          learning_rate: rate,
          tokens,
          seconds,
        });
      }
      case "evaluated": {
        const { step } = event;
        const evaluations = event.evaluations.map(({ name, loss, right, examples }) => ({
          name,
          loss,
          right,
          examples,
        }));
        const words = evaluations.map(
          (one) => `${one.name}: ${one.right} of ${one.examples} right`,
        );
        return tell(entry, words.join("; "), { step, evaluations });
      }
      case "saved":
        void keep(entry).catch(() => {});
        return tell(entry, `saved after step ${event.step}`, { saved: event.step });
    }
  };

  async function runOne(entry: Entry): Promise<void> {
    const { run, adapter } = entry.stored;
    const stop = new AbortController();
    entry.stop = stop;
    await setStatus(entry, "running", "training begins");
    try {
      await runTask(
        { kind: "train", run, adapter },
        { signal: stop.signal, onEvent: follow(entry) },
      );
      const { model } = entry.stored.job;
      const made = adapterId(model, adapter);
      await setStatus(entry, "succeeded", `${made} can be asked`, { fine_tuned_model: made });
    } catch (error) {
      // What the next server goes on with stays as it is.
      if (closing) return;
      if (stop.signal.aborted) return await setStatus(entry, "cancelled", "stopped");
      log.warn({ err: error, job: entry.stored.job.id }, "training failed");
      const { code, message, param } =
        error instanceof TinyGptvError && error.code === "parameter"
          ? new HttpError("invalid_value", error.message)
          : toHttpError(error);
      await setStatus(entry, "failed", message, { error: { code, message, param } });
    } finally {
      delete entry.stop;
    }
  }

  function pump(): void {
    if (closing || running || estimating) return;
    const next = [...entries.values()].find(({ stored: { job } }) => job.status === "queued");
    if (!next) return;
    running = runOne(next)
      .catch((error: unknown) => log.error({ err: error }, "training"))
      .finally(() => {
        running = undefined;
        pump();
      });
  }

  const waiting = () => [...entries.values()].filter(({ stored }) => !isOver(stored.job)).length;

  const assertRoom = () => {
    if (waiting() >= longestLine)
      throw new HttpError(
        "queue_full",
        `training: want at most ${longestLine} that wait and run, got as many`,
      );
  };

  /** Rows on the disk, checked. */
  async function prepare(request: FineTuningRequest, to: string, call: TrainingCall) {
    const { name, level, model } = levelOf(call.model, models);
    const run = runFileOf(request, { model, level, folder: to });
    const { asker, load } = call;
    const { trainingImageBytes: maxBytes, imageFetchMs: ms } = limits;
    await writeRows(request, to, { load, asker, maxBytes, ms });
    const { mistakes } = await runTask({ kind: "check", run }, { signal: asker.life.signal });
    if (mistakes.length > 0) throw wrongRows(mistakes);
    return { name, model, run };
  }

  for (const entry of entries.values())
    if (!isOver(entry.stored.job)) change(entry, { status: "queued" });
  pump();

  return {
    async create(request, call) {
      const { tenant } = call.asker;
      assertRoom();
      if (entries.size >= limits.trainings)
        throw new HttpError(
          "storage_full",
          `training: want at most ${limits.trainings} kept, got as many; delete some first`,
        );
      const id = `ftjob-${randomBytes(12).toString("hex")}`;
      const adapter = request.suffix ?? id;
      const { model } = levelOf(call.model, models);
      await assertNew(adapter, model, entries.values());
      const { epochs, batch, steps, rate, rank, seed } = hyperparametersOf(request);
      try {
        const { run } = await prepare(request, folderOf(id), call);
        const job: FineTuningJob = {
          id,
          object: "fine_tuning.job",
          created_at: now(),
          finished_at: null,
          estimated_finish: null,
          model: call.model,
          fine_tuned_model: null,
          organization_id: tenant,
          status: "queued",
          error: null,
          hyperparameters: {
            n_epochs: epochs,
            batch_size: batch,
            learning_rate_multiplier: rate / 1e-3,
          },
          rank,
          steps,
          step: 0,
          trained_tokens: null,
          training_file: "training_data",
          validation_file: request.validation_data ? "validation_data" : null,
          result_files: [],
          seed,
        };
        const stored = { tenant, modelFolder: model, adapter, run, job };
        const entry: Entry = { stored, events: [], ...fresh() };
        await keep(entry);
        entries.set(id, entry);
        tell(entry, "waits for its turn", { status: "queued", steps });
        pump();
        return entry.stored.job;
      } catch (error) {
        await rm(folderOf(id), { recursive: true, force: true });
        throw error;
      }
    },

    async estimate(request, call) {
      if (running || estimating)
        throw new HttpError(
          "queue_full",
          "training: one runs; what another takes can be told after it",
        );
      estimating = true;
      const scratch = await mkdtemp(join(tmpdir(), "tinygptv-estimate-"));
      try {
        const { run } = await prepare(request, scratch, call);
        const { signal } = call.asker.life;
        const cost = await runTask(
          { kind: "estimate", run, scratch: places(scratch).run },
          { signal },
        );
        return {
          object: "fine_tuning.estimate",
          steps: cost.steps,
          seconds: cost.steps * cost.secondsPerStep,
          memory_bytes: Math.round(cost.memory),
          trained_parameters: cost.parameters,
          tokens_per_second: cost.tokensPerSecond,
        };
      } finally {
        estimating = false;
        await rm(scratch, { recursive: true, force: true });
        pump();
      }
    },

    list: (tenant) =>
      [...entries.values()]
        .filter(({ stored }) => stored.tenant === tenant)
        .map(({ stored }) => stored.job)
        .toReversed(),

    get: (tenant, id) => find(tenant, id).stored.job,

    async cancel(tenant, id) {
      const entry = find(tenant, id);
      if (isOver(entry.stored.job)) throw wrongStatus(entry.stored.job, "one that waits or runs");
      if (entry.stop) {
        entry.stop.abort();
        await running;
      } else await setStatus(entry, "cancelled", "stopped before it began");
      return entry.stored.job;
    },

    async resume(tenant, id) {
      const entry = find(tenant, id);
      const { job } = entry.stored;
      if (job.status !== "cancelled" && job.status !== "failed")
        throw wrongStatus(job, "one that was cancelled or has failed");
      assertRoom();
      await setStatus(entry, "queued", "waits for its turn");
      pump();
      return entry.stored.job;
    },

    async remove(tenant, id) {
      const entry = find(tenant, id);
      if (!isOver(entry.stored.job)) throw wrongStatus(entry.stored.job, "one that does not run");
      entries.delete(id);
      await entry.written;
      await rm(folderOf(id), { recursive: true, force: true });
    },

    events: (tenant, id) => find(tenant, id).events,

    async *follow(tenant, id, after, signal) {
      const entry = find(tenant, id);
      const gone = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => gone.resolve(), { once: true });
      for (let at = after; !signal.aborted;) {
        const { news, events } = entry;
        yield* events.slice(at);
        at = events.length;
        if (closing || isOver(entry.stored.job)) return;
        await Promise.race([news.promise, gone.promise]);
      }
    },

    checkpoints(tenant, id) {
      const { events, stored } = find(tenant, id);
      const losses = new Map(events.map(({ data }) => [data?.step, data?.train_loss]));
      return events
        .filter(({ data }) => data?.saved !== undefined)
        .slice(-2)
        .toReversed()
        .map(({ created_at, data }) => ({
          id: `ftckpt-${id.slice("ftjob-".length)}-${data!.saved}`,
          object: "fine_tuning.job.checkpoint",
          created_at,
          fine_tuning_job_id: id,
          fine_tuned_model_checkpoint: adapterId(stored.job.model, stored.adapter),
          step_number: data!.saved!,
          metrics: {
            step: data!.saved!,
            ...(losses.get(data!.saved) !== undefined && { train_loss: losses.get(data!.saved) }),
          },
        }));
    },

    async close() {
      closing = true;
      for (const entry of entries.values()) {
        entry.stop?.abort();
        entry.news.resolve();
      }
      await running;
      await Promise.all([...entries.values()].map(({ written }) => written));
    },
  };
};

const fresh = () => ({ news: Promise.withResolvers<void>(), written: Promise.resolve() });

/** A level's folder, and its name in it. */
function levelOf(id: string, models: ReadonlyMap<string, string>) {
  const [name, level] = id.split(":") as [string, string];
  const model = models.get(name);
  if (model === undefined || level.includes("+"))
    throw new HttpError(
      "invalid_value",
      `model: want a level of a model without an adapter, got ${id}`,
      { param: "model" },
    );
  return { name, level, model };
}

/** An adapter that is there is nobody's to write over. */
async function assertNew(adapter: string, model: string, entries: Iterable<Entry>): Promise<void> {
  const taken = [...entries].some(
    ({ stored }) => stored.adapter === adapter && stored.modelFolder === model,
  );
  if (!taken && !(await adapterNames(model)).includes(adapter)) return;
  throw new HttpError("invalid_value", `suffix: want a new name, got ${adapter}, which there is`, {
    param: "suffix",
  });
}

/** `training_data.jsonl:12: …` is the caller's `training_data[11]: …`. */
function wrongRows(mistakes: readonly string[]): HttpError {
  const told = mistakes.map((message) =>
    message.replace(
      /^(\w+)\.jsonl:(\d+)/,
      (_, name: string, line: string) => `${name}[${Number(line) - 1}]`,
    ),
  );
  const param = /^\w+\[\d+\]/.exec(told[0]!)?.[0];
  return new HttpError("invalid_value", told.join("\n"), param === undefined ? {} : { param });
}

const wrongStatus = ({ status }: FineTuningJob, wanted: string) =>
  new HttpError("invalid_value", `training: want ${wanted}, got one that is ${status}`, {
    param: "id",
  });
