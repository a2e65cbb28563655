/** A training as it lies on the disk: `job.json`, its rows and pictures, what happened, and the run itself. */
import { appendFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readText, replaceDurably } from "@tinygptv/model/disk";
import type { FineTuningEvent, FineTuningJob } from "@tinygptv/protocol/http";

/** What a run of training is set to, in the words of its file (docs/training-runs.md). */
export type RunFile = Readonly<Record<string, unknown>>;

/** All that outlives the server. */
export interface StoredJob {
  readonly tenant: string;
  /** Folder of the model that is trained over, and the name of what comes of it. */
  readonly modelFolder: string;
  readonly adapter: string;
  readonly run: RunFile;
  readonly job: FineTuningJob;
}

/** Places in a job's folder. */
export const places = (folder: string) => ({
  job: join(folder, "job.json"),
  events: join(folder, "events.jsonl"),
  pictures: join(folder, "pictures"),
  rows: (name: string) => join(folder, `${name}.jsonl`),
  run: join(folder, "run"),
});

export async function writeJob(folder: string, stored: StoredJob): Promise<void> {
  await mkdir(folder, { recursive: true });
  await replaceDurably(places(folder).job, JSON.stringify(stored));
}

/** All jobs of a folder; one that was being made when its server ended is none. */
export async function readJobs(folder: string): Promise<StoredJob[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const jobs = await Promise.all(
    names.map(async (name) => {
      const text = await readText(places(join(folder, name)).job).catch(() => undefined);
      return text === undefined ? [] : [JSON.parse(text) as StoredJob];
    }),
  );
  return jobs.flat().toSorted((a, b) => a.job.created_at - b.job.created_at);
}

export async function appendEvent(folder: string, event: FineTuningEvent): Promise<void> {
  await appendFile(places(folder).events, `${JSON.stringify(event)}\n`);
}

/** All that happened; a last line that was cut by the server's end is left out. */
export async function readEvents(folder: string): Promise<FineTuningEvent[]> {
  const text = await readFile(places(folder).events, "utf8").catch(() => "");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as FineTuningEvent);
}
