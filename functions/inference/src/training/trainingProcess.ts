/**
 * A process that trains, from inside: one task, then it ends. Answers go first, so it is of the lowest
 * priority and leaves half of the cores alone.
 */
import { availableParallelism, constants, setPriority } from "node:os";
import { join } from "node:path";
import { addAdapter } from "@tinygptv/convert";
import { loadTokenizer, readManifest } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import {
  estimateCost,
  findMistakes,
  parseRunFile,
  planOf,
  readTrained,
  runTraining,
} from "@tinygptv/train";
import type { RunFile } from "./job.ts";
import type { FromTraining, Task, TaskResults, ToTraining } from "./messages.ts";

/** Mistakes that are told at once. */
const mostMistakes = 20;

const stop = new AbortController();
const { signal } = stop;
const threads = Math.max(1, Math.floor(availableParallelism() / 2));

const send = (message: FromTraining) =>
  new Promise<void>(
    (resolve) => void process.send?.(message, undefined, undefined, () => resolve()),
  );

/** JSON is YAML. */
const settingsOf = (file: RunFile) => parseRunFile(JSON.stringify(file), "training");

async function check(file: RunFile): Promise<TaskResults["check"]> {
  const plan = await planOf(settingsOf(file));
  const manifest = await readManifest(plan.model);
  const tokenizer = await loadTokenizer(join(plan.model, manifest.tokenizer));
  const mistakes: string[] = [];
  const seen = new Set<string>();
  for (const { wording, ...spec } of [...plan.data, ...plan.evaluate]) {
    if (seen.has(spec.name)) continue;
    seen.add(spec.name);
    const limit = {
      maxAnswerTokens: wording.maxAnswerTokens,
      countTokens: (text: string) => tokenizer.encode(text).length,
    };
    for (const { message } of await findMistakes(spec, limit)) mistakes.push(message);
  }
  return { mistakes: mistakes.slice(0, mostMistakes) };
}

async function trainOver(file: RunFile, name: string): Promise<TaskResults["train"]> {
  const settings = settingsOf(file);
  const { adapter, steps } = await runTraining(settings, {
    signal,
    threads,
    onEvent: (event) => send({ type: "event", event }),
  });
  const { config } = await readManifest(settings.model);
  const { source, ...weights } = await readTrained(adapter!, config.phi.numHeads);
  await addAdapter(settings.model, weights, { name, source, replace: true });
  return { steps };
}

function run(task: Task): Promise<TaskResults[keyof TaskResults]> {
  switch (task.kind) {
    case "check":
      return check(task.run);
    case "estimate":
      return estimateCost(settingsOf(task.run), task.scratch, { signal, threads });
    case "train":
      return trainOver(task.run, task.adapter);
  }
}

async function start(task: Task): Promise<void> {
  try {
    await send({ type: "done", result: await run(task) });
  } catch (error) {
    const { message } = error as Error;
    const known = error instanceof TinyGptvError && { code: error.code, subject: error.subject };
    await send({ type: "failed", error: { message, ...known } });
  }
  process.exit(0);
}

setPriority(constants.priority.PRIORITY_LOW);
process.on("message", (message: ToTraining) => {
  if (message.type === "start") void start(message.task);
  else stop.abort();
});
// Whose server is gone stops; what was saved is gone on with when there is one again.
process.on("disconnect", () => process.exit(0));
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => {});
