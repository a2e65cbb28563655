/**
 * What a training tells while it runs, as files in its folder: `metrics.jsonl`, an object
 * a line; event files for TensorBoard; and `log.txt` in the form of the reference's, the
 * settings and then a line an epoch.
 */
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { onDisk, readText, replaceDurably } from "@tinygptv/model/disk";
import { eventFileName, firstRecords, scalarRecord } from "./tensorBoard.ts";

/** What is told of a step. */
export interface StepFigures {
  /** Steps that were taken, this one included. */
  readonly step: number;
  readonly epoch: number;
  /** Mean over the answer tokens of its batches. */
  readonly loss: number;
  /** Learning rate. */
  readonly rate: number;
  /** Of all gradients, before they are clipped. */
  readonly norm: number;
  /** Positions that were run. */
  readonly tokens: number;
  readonly seconds: number;
}

/** What an evaluation found of one data set. */
export interface EvaluationFigures {
  readonly step: number;
  /** Of the data set. */
  readonly name: string;
  readonly loss: number;
  readonly examples: number;
  /** Examples whose whole answer greedy decoding would give. */
  readonly right: number;
}

/** The files that a training tells its figures in. */
export interface RunLog {
  /** After a step. */
  step(figures: StepFigures): Promise<void>;
  /** After an evaluation, once for each data set. */
  evaluated(figures: EvaluationFigures): Promise<void>;
  /** At the end of an epoch: the means over its steps. */
  epoch(figures: { readonly rate: number; readonly loss: number }): Promise<void>;
  /** Closes the files. */
  close(): Promise<void>;
}

/** Where the figures of a training begin. */
export interface RunLogOptions {
  /** For `log.txt`, where that is new. */
  readonly settings: unknown;
  /** Where the training goes on: what an earlier process told of later steps and epochs is taken back. */
  readonly step: number;
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Opens the files of a run, new or to go on with.
 * @throws TinyGptvError "io" for the disk
 */
export async function openRunLog(
  folder: string,
  { settings, step: from, epoch, now = Date.now }: RunLogOptions,
): Promise<RunLog> {
  const [metrics, log] = [join(folder, "metrics.jsonl"), join(folder, "log.txt")];
  const events = join(folder, eventFileName(now() / 1000, hostname(), process.pid));
  return onDisk(folder, async () => {
    await mkdir(folder, { recursive: true });
    await replaceDurably(metrics, keptMetrics(await textOf(metrics), from));
    await replaceDurably(log, keptLog(await textOf(log), epoch) ?? settingsText(settings));
    const files: FileHandle[] = [];
    for (const path of [metrics, log, events]) files.push(await open(path, "a"));
    const [toMetrics, toLog, toEvents] = files as [FileHandle, FileHandle, FileHandle];
    await toEvents.appendFile(firstRecords(from, now() / 1000));

    const tell = async (
      step: number,
      line: Readonly<Record<string, unknown>>,
      scalars: Readonly<Record<string, number>>,
    ) => {
      const time = now() / 1000;
      await onDisk(metrics, () =>
        toMetrics.appendFile(`${JSON.stringify({ step, ...line, time })}\n`),
      );
      await onDisk(events, () => toEvents.appendFile(scalarRecord({ step, time, scalars })));
    };
    return {
      step: ({ step, epoch: inEpoch, loss, rate, norm, tokens, seconds }) => {
        const speed = tokens / seconds;
        return tell(
          step,
          {
            epoch: inEpoch,
            loss,
            lr: rate,
            grad_norm: norm,
            tokens,
            seconds,
            tokens_per_second: speed,
          },
          {
            "train/loss": loss,
            "train/lr": rate,
            "train/grad_norm": norm,
            "train/tokens_per_second": speed,
          },
        );
      },
      evaluated: ({ step, name, loss, examples, right }) =>
        tell(
          step,
          { evaluation: name, loss, examples, right },
          { [`evaluation/${name}/loss`]: loss, [`evaluation/${name}/right`]: right / examples },
        ),
      epoch: ({ rate, loss }) =>
        onDisk(log, () =>
          toLog.appendFile(`${JSON.stringify({ train_lr: rate, train_loss: loss })}\n`),
        ),
      close: async () => {
        for (const file of files) await file.close();
      },
    };
  });
}

/** Lines of steps up to `step`; one that a killed process left half written goes, too. */
function keptMetrics(text: string, step: number): string {
  const lines = text.split("\n").filter((line) => {
    const [, told] = /^\{"step":(\d+),.*\}$/.exec(line) ?? [];
    return told !== undefined && Number(told) <= step;
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** The settings and the lines of the epochs that count; undefined for an empty file. */
function keptLog(text: string, epochs: number): string | undefined {
  if (text === "") return undefined;
  const lines = text.split("\n");
  const isEpoch = (line: string) => line.startsWith('{"train_');
  const first = lines.findIndex(isEpoch);
  if (first < 0) return text;
  const told = lines.filter((line) => isEpoch(line) && line.endsWith("}"));
  return [...lines.slice(0, first), ...told.slice(0, epochs), ""].join("\n");
}

const settingsText = (settings: unknown) => `${JSON.stringify(settings, null, 4)}\n`;

const textOf = (path: string) =>
  readText(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
