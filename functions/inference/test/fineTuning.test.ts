/** Fine-tuning by the endpoint as a program of its own, asked with the `openai` package. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterEach, beforeAll, beforeEach, expect, expectTypeOf, test } from "vitest";
import type { FineTuningCheckpoint, FineTuningEvent, FineTuningJob } from "@tinygptv/protocol/http";
import { dataUrl } from "../src/testing/pictures.ts";
import { nanoPath } from "./nano.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const picture = async (name: string) => dataUrl(await readFile(nanoPath(`gallery/${name}.png`)));
const question = "What do you see?";

let home: string;
let rows: object[];
const servers: ChildProcess[] = [];
beforeAll(async () => {
  rows = [
    { image: await picture("dog"), prompt: question, answer: "green and dog" },
    { image: await picture("apple"), prompt: question, answer: "blue and apple" },
    {
      image: await picture("lion"),
      conversations: [
        { from: "human", value: `<image>\n${question}` },
        { from: "gpt", value: "green and lion" },
      ],
    },
  ];
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tinygptv-fine-tuning-"));
  // What is trained is put beside the model.
  await cp(nanoPath("converted"), join(home, "nano"), { recursive: true });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await kill(server);
  await rm(home, { recursive: true, force: true });
});

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill("SIGKILL");
  await once(server, "exit");
}

/** A server over the model and the trainings of this test. */
async function serve(env: object = { TINYGPTV_TRAINING: join(home, "training") }) {
  const server = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      PORT: "0",
      TINYGPTV_MODELS: join(home, "nano"),
      TINYGPTV_STORE: "memory",
      ...env,
    },
  });
  servers.push(server);
  let log = "";
  server.stdout.on("data", (chunk) => (log += chunk));
  server.stderr.on("data", (chunk) => (log += chunk));
  await expect.poll(() => log, { timeout: 30_000 }).toMatch(/"url":"[^"]+"/);
  const baseURL = `${/"url":"([^"]+)"/.exec(log)![1]!}/v1`;
  const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
  return { server, baseURL, client, jobs: client.fineTuning.jobs };
}
type Served = Awaited<ReturnType<typeof serve>>;

/** A request that the package's types know nothing of, since rows take the place of an uploaded file. */
const requestOf = (fields: object = {}) =>
  ({
    model: "nano:fp32",
    training_data: rows,
    hyperparameters: { steps: 6, batch_size: 2, rank: 2 },
    ...fields,
  }) as unknown as OpenAI.FineTuning.JobCreateParams;

const ended = async ({ jobs }: Served, id: string): Promise<FineTuningJob> => {
  await expect
    .poll(async () => (await jobs.retrieve(id)).status, { timeout: 90_000, interval: 200 })
    .toMatch(/succeeded|failed|cancelled/);
  return (await jobs.retrieve(id)) as unknown as FineTuningJob;
};

/** Events of a stream, until it ends or `enough`. */
async function streamed(
  { baseURL }: Served,
  id: string,
  { after = "", enough }: { after?: string; enough?: (event: FineTuningEvent) => boolean } = {},
): Promise<FineTuningEvent[]> {
  const response = await fetch(
    `${baseURL}/fine_tuning/jobs/${id}/events?stream=true&after=${after}`,
  );
  const found: FineTuningEvent[] = [];
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split("\n\n");
    text = lines.pop()!;
    for (const line of lines) {
      if (line === "data: [DONE]") return found;
      const event = JSON.parse(line.slice("data: ".length)) as FineTuningEvent;
      found.push(event);
      if (enough?.(event)) return found;
    }
  }
  return found;
}

test("answers have the types that OpenAI publishes", () => {
  expectTypeOf<FineTuningJob>().toExtend<OpenAI.FineTuning.FineTuningJob>();
  expectTypeOf<FineTuningEvent>().toExtend<OpenAI.FineTuning.FineTuningJobEvent>();
  expectTypeOf<FineTuningCheckpoint>().toExtend<OpenAI.FineTuning.Jobs.FineTuningJobCheckpoint>();
});

test("is refused unless the server allows it, and the answer says how it is allowed", async () => {
  const { jobs } = await serve({});
  const refused = { status: 403, code: "training_not_allowed" };
  await expect(jobs.create(requestOf())).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining("TINYGPTV_TRAINING"),
  });
  await expect(jobs.list()).rejects.toMatchObject(refused);
});

test("says what it would take, trains beside answers, and the result can be asked", async () => {
  const served = await serve();
  const { jobs, client, baseURL } = served;
  const estimate = await fetch(`${baseURL}/fine_tuning/estimates`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(requestOf()),
  });
  expect(await estimate.json()).toMatchObject({
    object: "fine_tuning.estimate",
    steps: 6,
    seconds: expect.any(Number),
    memory_bytes: expect.any(Number),
  });

  const validation = { validation_data: rows.slice(0, 1), replay_data: rows.slice(1) };
  const created = await jobs.create(requestOf({ suffix: "colours", ...validation }));
  expect(created).toMatchObject({ status: expect.stringMatching(/queued|running/), steps: 6 });
  const events = await streamed(served, created.id);
  expect(events.flatMap(({ data }) => data?.train_loss ?? [])).toHaveLength(6);
  const evaluated = events.flatMap(({ data }) => (data?.evaluations ? [data.evaluations] : []));
  expect(evaluated.at(-1)).toMatchObject([
    { name: "validation_data", examples: 1 },
    { name: "replay_data", examples: 2 },
  ]);
  const job = await ended(served, created.id);
  expect(job).toMatchObject({
    status: "succeeded",
    step: 6,
    fine_tuned_model: "nano:fp32+colours",
    error: null,
  });

  const answer = await client.chat.completions.create({
    model: job.fine_tuned_model!,
    messages: [{ role: "user", content: question }],
    max_tokens: 2,
  });
  expect(answer.model).toBe("nano:fp32+colours");
  expect((await jobs.list()).data.map(({ id }) => id)).toEqual([job.id]);
  expect((await jobs.listEvents(job.id, { limit: 1 })).data[0]).toMatchObject({
    message: "nano:fp32+colours can be asked",
  });
  const [checkpoint] = (await jobs.checkpoints.list(job.id)).data;
  expect(checkpoint).toMatchObject({ step_number: 6, fine_tuning_job_id: job.id });
  // Nothing is written over.
  await expect(jobs.create(requestOf({ suffix: "colours" }))).rejects.toMatchObject({
    status: 400,
    param: "suffix",
  });
});

test("is stopped and goes on; killed with its server it goes on with the next one", async () => {
  const long = { hyperparameters: { steps: 150, batch_size: 1, rank: 2 } };
  const first = await serve();
  const { id } = await first.jobs.create(requestOf(long));
  const isSaved = ({ data }: FineTuningEvent) => data?.saved !== undefined;
  await streamed(first, id, { enough: isSaved });
  // One waits meanwhile, and can be taken back.
  const other = await first.jobs.create(requestOf());
  expect(other.status).toBe("queued");
  expect((await first.jobs.cancel(other.id)).status).toBe("cancelled");
  expect((await first.jobs.cancel(id)).status).toBe("cancelled");

  expect(await first.jobs.resume(id)).toMatchObject({ error: null });
  const events = await streamed(first, id, {
    enough: ({ data }) => (data?.step ?? 0) > 40 && data?.train_loss !== undefined,
  });
  const froms = events.flatMap(({ data }) => data?.from ?? []);
  expect(froms).toHaveLength(2);
  expect(froms[1]).toBeGreaterThan(0);

  await kill(first.server);
  const second = await serve();
  const job = await ended(second, id);
  expect(job).toMatchObject({ status: "succeeded", step: 150 });
  const told = await streamed(second, id, { after: events.at(-1)!.id });
  expect(told.flatMap(({ data }) => data?.from ?? [])[0]).toBeGreaterThanOrEqual(30);

  const gone = await fetch(`${second.baseURL}/fine_tuning/jobs/${id}`, { method: "DELETE" });
  expect(await gone.json()).toMatchObject({ id, deleted: true });
  await expect(second.jobs.retrieve(id)).rejects.toMatchObject({
    status: 404,
    code: "job_not_found",
  });
}, 90_000);

test("names every row with a mistake, and keeps nothing of it", async () => {
  const { jobs } = await serve();
  const wrong = [rows[0]!, { prompt: question, answer: " " }, { prompt: "no answer" }];
  await expect(jobs.create(requestOf({ training_data: wrong }))).rejects.toMatchObject({
    status: 400,
    param: "training_data[1]",
    message: expect.stringMatching(/training_data\[1\]: .*text[^]*training_data\[2\]: /),
  });
  const secret = [{ image: "/etc/passwd", prompt: question, answer: "a dog" }];
  await expect(jobs.create(requestOf({ training_data: secret }))).rejects.toMatchObject({
    status: 400,
    param: "training_data[0].image",
  });
  const inside = [{ image: "http://127.0.0.1/dog.png", prompt: question, answer: "a dog" }];
  await expect(jobs.create(requestOf({ training_data: inside }))).rejects.toMatchObject({
    status: 400,
    param: "training_data[0].image",
  });
  await expect(jobs.create(requestOf({ suffix: "Upper" }))).rejects.toMatchObject({ status: 400 });
  const both = { hyperparameters: { steps: 1, n_epochs: 1 } };
  await expect(jobs.create(requestOf(both))).rejects.toMatchObject({ status: 400 });
  await expect(jobs.create(requestOf({ model: "gpt-4o" }))).rejects.toMatchObject({ status: 404 });
  expect((await jobs.list()).data).toEqual([]);
});
