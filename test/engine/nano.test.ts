/** The engine with real models: the answers of the reference, also beside others, after a crash, and from several models in turns. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { convert, findSources } from "@tinygptv/convert";
import type { DecodingParams, GenerateEvent } from "@tinygptv/protocol";
import { createEngine } from "tinygptv";
import type { Engine } from "tinygptv";
import { afterAll, beforeAll, expect, it } from "vitest";
import { convertFixture, temporaryFolder } from "../support/converted.ts";

interface Evaluation {
  image: string;
  prompt: string;
  greedy: { ids: number[]; text: string };
}

const nano = fileURLToPath(new URL("../../models/nano", import.meta.url));
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let engine: Engine;
let questions: { question: Evaluation; picture: Uint8Array }[];

beforeAll(async () => {
  folder = await temporaryFolder();
  const { paths, settings } = await findSources(`${nano}/checkpoint`);
  const out = `${folder.path}/nano`;
  await convert({ sources: paths, out, name: "nano", ...(settings && { settings }) });
  await convertFixture("micro-stage4", `${folder.path}/micro`);
  engine = createEngine({ models: [out, `${folder.path}/micro`], maxBatch: 4 });
  const lines = (await readFile(`${nano}/eval/eval.jsonl`, "utf8")).split("\n").slice(0, 10);
  questions = await Promise.all(
    lines.map(async (line) => {
      const question = JSON.parse(line) as Evaluation;
      return { question, picture: await readFile(`${nano}/eval/${question.image}`) };
    }),
  );
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

function start(index: number, decoding: DecodingParams, signal?: AbortSignal) {
  const { question, picture } = questions[index]!;
  const request = { rounds: [{ prompt: question.prompt, images: 1 }], decoding };
  return engine.generate(request, [picture], signal ? { signal } : {});
}

async function collect(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function tokensOf(events: AsyncIterable<GenerateEvent>): Promise<number[]> {
  const all = await collect(events);
  return all.flatMap((event) => (event.type === "token" ? [event.token.id] : []));
}

/** The process that holds the models. */
function enginePid(): number {
  const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const own = processes.split("\n").map((line) => line.trim().split(/\s+/));
  const found = own.find(
    ([, parent, ...args]) =>
      Number(parent) === process.pid && args.some((arg) => arg.endsWith("engine/child.ts")),
  );
  return Number(found![0]);
}

it("gives the reference's answers, many at once", async () => {
  const answers = await Promise.all(
    questions.map((_, i) => tokensOf(start(i, { maxNewTokens: 120 }))),
  );
  expect(answers).toEqual(questions.map(({ question }) => question.greedy.ids));
});

it("gives the same answers beside a beam search, a cancelled one and a score", async () => {
  const controller = new AbortController();
  const greedy = [0, 1, 2].map((i) => tokensOf(start(i, { maxNewTokens: 120 })));
  const beams = start(3, { numBeams: 5, numReturnSequences: 2, maxNewTokens: 60 });
  const cancelled = tokensOf(
    start(4, { minNewTokens: 1000, maxNewTokens: 1000 }, controller.signal),
  );
  const score = engine.score(
    {
      rounds: [{ prompt: questions[5]!.question.prompt, images: 1 }],
      candidates: ["a tree", "xyz"],
    },
    [questions[5]!.picture],
  );
  const together = collect(beams);
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: "aborted" });
  expect(await Promise.all(greedy)).toEqual(
    [0, 1, 2].map((i) => questions[i]!.question.greedy.ids),
  );
  const alone = await collect(start(3, { numBeams: 5, numReturnSequences: 2, maxNewTokens: 60 }));
  const hypotheses = (events: GenerateEvent[]) =>
    events.flatMap((event) => (event.type === "end" ? event.hypotheses : []));
  expect(hypotheses(await together)).toEqual(hypotheses(alone));
  expect((await score).ranks[0]).toBe(0);
});

it("answers from two models in turns", async () => {
  const [picture] = questions.map((one) => one.picture);
  const request = {
    rounds: [{ prompt: "What is it?", images: 1 }],
    decoding: { maxNewTokens: 10 },
  };
  const models = ["nano", "micro", "nano:fp32", "micro:fp32"];
  const answers = await Promise.all(
    models.map((model) => tokensOf(engine.generate(request, [picture!], { model }))),
  );
  expect(answers[0]).toEqual(answers[2]);
  expect(answers[1]).toEqual(answers[3]);
  expect(engine.status().loadedModels).toEqual(["nano:fp32", "micro:fp32"]);
});

it("survives kill -9 in mid-answer: the caller is told, the next question is answered", async () => {
  const events = start(0, { minNewTokens: 1000, maxNewTokens: 1000 })[Symbol.asyncIterator]();
  for (let i = 0; i < 5; i++) await events.next();
  const pid = enginePid();
  process.kill(pid, "SIGKILL");
  const rest = (async () => {
    while (!(await events.next()).done);
  })();
  await expect(rest).rejects.toMatchObject({
    code: "engine",
    message: `engine process ${pid}: ended by SIGKILL`,
  });
  expect(await tokensOf(start(0, { maxNewTokens: 120 }))).toEqual(
    questions[0]!.question.greedy.ids,
  );
  expect(enginePid()).not.toBe(pid);
});
