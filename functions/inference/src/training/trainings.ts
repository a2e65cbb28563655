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
import { places, readEvents, readJobs } from "./job.ts";
import { TrainingRecord, now } from "./record.ts";
import { writeRows } from "./rows.ts";
import { runTask } from "./runTask.ts";
import { hyperparametersOf, runFileOf } from "./settings.ts";

/** Jobs that wait and run. */
const longestLine = 8;
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

/** Opens the trainings of a folder, and goes on with those that the last server left. */
export const openTrainings: OpenTrainings = async ({ folder, models, limits, log }) => {
  await mkdir(folder, { recursive: true });
  /** By id, in the order they came. */
  const records = new Map<string, TrainingRecord>();
  /** Ends the one that runs. */
  let stop: AbortController | undefined;
  let closing = false;
  let estimating = false;
  let running: Promise<void> | undefined;

  const folderOf = (id: string) => join(folder, id);
  for (const stored of await readJobs(folder)) {
    const { id } = stored.job;
    await cleanUpAfterKilled(places(folderOf(id)).job);
    const events = await readEvents(folderOf(id));
    records.set(id, new TrainingRecord(stored, events, folderOf(id), log));
  }

  const find = (tenant: string, id: string): TrainingRecord => {
    const record = records.get(id);
    if (record?.stored.tenant === tenant) return record;
    throw new HttpError("job_not_found", `there is no training ${id.slice(0, 80)}`, {
      param: "id",
    });
  };

  async function runOne(record: TrainingRecord): Promise<void> {
    const { run, adapter } = record.stored;
    const { id, model } = record.job;
    stop = new AbortController();
    const { signal } = stop;
    await record.setStatus("running", "training begins");
    try {
      const onEvent = (event: TrainingEvent) => record.take(event);
      await runTask({ kind: "train", run, adapter }, { signal, onEvent });
      const made = adapterId(model, adapter);
      await record.setStatus("succeeded", `${made} can be asked`, { fine_tuned_model: made });
    } catch (error) {
      // What the next server goes on with stays as it is.
      if (closing) return;
      if (signal.aborted) return await record.setStatus("cancelled", "stopped");
      log.warn({ err: error, job: id }, "training failed");
      const { code, message, param } =
        error instanceof TinyGptvError && error.code === "parameter"
          ? new HttpError("invalid_value", error.message)
          : toHttpError(error);
      await record.setStatus("failed", message, { error: { code, message, param } });
    } finally {
      stop = undefined;
    }
  }

  function pump(): void {
    if (closing || running || estimating) return;
    const next = [...records.values()].find(({ job }) => job.status === "queued");
    if (!next) return;
    running = runOne(next)
      .catch((error: unknown) => log.error({ err: error }, "training"))
      .finally(() => {
        running = undefined;
        pump();
      });
  }

  const waiting = () => [...records.values()].filter(({ isOver }) => !isOver).length;

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

  for (const record of records.values()) if (!record.isOver) record.change({ status: "queued" });
  pump();

  return {
    async create(request, call) {
      const { tenant } = call.asker;
      assertRoom();
      if (records.size >= limits.trainings)
        throw new HttpError(
          "storage_full",
          `training: want at most ${limits.trainings} kept, got as many; delete some first`,
        );
      const id = `ftjob-${randomBytes(12).toString("hex")}`;
      const adapter = request.suffix ?? id;
      const { model } = levelOf(call.model, models);
      await assertNew(adapter, model, records.values());
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
        const record = new TrainingRecord(stored, [], folderOf(id), log);
        await record.keep();
        records.set(id, record);
        record.tell("waits for its turn", { status: "queued", steps });
        pump();
        return record.job;
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
      [...records.values()]
        .filter(({ stored }) => stored.tenant === tenant)
        .map(({ job }) => job)
        .toReversed(),

    get: (tenant, id) => find(tenant, id).job,

    async cancel(tenant, id) {
      const record = find(tenant, id);
      if (record.isOver) throw wrongStatus(record.job, "one that waits or runs");
      if (record.job.status === "running") {
        stop?.abort();
        await running;
      } else await record.setStatus("cancelled", "stopped before it began");
      return record.job;
    },

    async resume(tenant, id) {
      const record = find(tenant, id);
      if (record.job.status !== "cancelled" && record.job.status !== "failed")
        throw wrongStatus(record.job, "one that was cancelled or has failed");
      assertRoom();
      await record.setStatus("queued", "waits for its turn");
      pump();
      return record.job;
    },

    async remove(tenant, id) {
      const record = find(tenant, id);
      if (!record.isOver) throw wrongStatus(record.job, "one that does not run");
      records.delete(id);
      await record.written();
      await rm(folderOf(id), { recursive: true, force: true });
    },

    events: (tenant, id) => find(tenant, id).events,
    follow: (tenant, id, after, signal) => find(tenant, id).follow(after, signal, () => closing),
    checkpoints: (tenant, id) => find(tenant, id).checkpoints(),

    async close() {
      closing = true;
      stop?.abort();
      for (const record of records.values()) record.wake();
      await running;
      await Promise.all([...records.values()].map((record) => record.written()));
    },
  };
};

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
async function assertNew(
  adapter: string,
  model: string,
  records: Iterable<TrainingRecord>,
): Promise<void> {
  const taken = [...records].some(
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
