/**
 * Load on a real server with the nano model, over loopback:
 * `pnpm --dir functions/inference load`. Prints one JSON object: throughput with
 * 1 and 8 clients, time to the first token of a picture seen before, and what
 * became of 200 clients at once. It measures and judges nothing; the machine
 * should be idle.
 */
import { readFile } from "node:fs/promises";
import { dataUrl } from "../src/testing/pictures.ts";
import { createNanoEngine, nanoPath } from "./nano.ts";
import { testServer } from "./testServer.ts";

const engine = createNanoEngine();
const server = await testServer(engine, { config: { limits: { concurrencyPerKey: 1000 } } });
const picture = dataUrl(await readFile(nanoPath("gallery/dog.png")));
const content = [
  { type: "image_url", image_url: { url: picture } },
  { type: "text", text: "describe this image as detailed as possible" },
];
const body = JSON.stringify({
  messages: [{ role: "user", content }],
  task: "grounding",
  stream: true,
});

interface Outcome {
  status: number;
  text: string;
  firstTokenMs: number;
  totalMs: number;
}

async function ask(): Promise<Outcome> {
  const began = performance.now();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const decoder = new TextDecoder();
  let text = "";
  let firstTokenMs = 0;
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    if (firstTokenMs === 0 && /"content":"[^"]/.test(text))
      firstTokenMs = performance.now() - began;
  }
  const said = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join("");
  return { status: response.status, text: said, firstTokenMs, totalMs: performance.now() - began };
}

/** Answers a second with so many clients, each asking again as soon as it is answered. */
async function throughput(clients: number, answersEach: number): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let i = 0; i < answersEach; i += 1) await ask();
    }),
  );
  return (clients * answersEach) / ((performance.now() - began) / 1000);
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const megabytes = () => Math.round((engine.status().rssBytes + process.memoryUsage.rss()) / 1e6);

const alone = await ask();
await throughput(8, 2); // warm
const firstTokens: number[] = [];
for (let i = 0; i < 20; i += 1) firstTokens.push((await ask()).firstTokenMs);
const one = await throughput(1, 20);
const eight = await throughput(8, 10);
const memoryBefore = megabytes();
const crowds = [];
for (let i = 0; i < 5; i += 1) crowds.push(await Promise.all(Array.from({ length: 200 }, ask)));
const crowd = crowds.flat();

const report = {
  answersPerSecond: { clients1: one, clients8: eight, ratio: eight / one },
  firstTokenMs: { median: median(firstTokens), worst: Math.max(...firstTokens) },
  crowd: {
    asked: crowd.length,
    answered: crowd.filter(({ status, text }) => status === 200 && text === alone.text).length,
    refused: crowd.filter(({ status }) => status === 503).length,
  },
  megabytes: { before: memoryBefore, after: megabytes() },
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
await server.close(0);
await engine.close();
