/**
 * A level of a model under load, through the engine as the endpoint uses it: 1,
 * 4 and 8 callers who ask one question after the other, short ones, one in six
 * long, one in six about a picture, of which half were seen before.
 */
import { readFile, readdir } from "node:fs/promises";
import type { GenerateRequest } from "../../lib/protocol/src/index.ts";
import { createEngine } from "../../lib/runtime/src/engine/supervisor.ts";
import type { Engine } from "../../lib/runtime/src/index.ts";
import { randomBelow } from "../support/random.ts";
import { madeUpPicture } from "./picture.ts";
import { quantile } from "./statistics.ts";

type Kind = "short" | "long" | "picture";

/** Milliseconds: to the first token, and from each token to the next. */
interface Times {
  first: number[];
  between: number[];
}

/** What one number of callers met with, by what they asked. */
export interface LoadResult {
  callers: number;
  times: Record<Kind, Times>;
  tokensPerSecond: number;
  /** The most memory the engine's process has taken so far, in bytes. */
  peakBytes: number;
}

const newTokens = 24;
const question = "What is there to be seen here, and of what colour is it? ";

export async function measureLoad(
  folder: string,
  level: string,
  secondsEach: number,
): Promise<{ saidBytes: number; results: LoadResult[] }> {
  const engine = createEngine({ models: [folder] });
  try {
    const { id, memoryBytes } = (await engine.models()).find((model) => model.level === level)!;
    const ask = caller(engine, id);
    await ask("short", 0); // loads the model
    const results = [];
    for (const callers of [1, 4, 8]) results.push(await crowd(ask, callers, secondsEach));
    return { saidBytes: memoryBytes, results };
  } finally {
    await engine.close();
  }
}

type Ask = (kind: Kind, random: number) => Promise<Times & { tokens: number }>;

async function crowd(ask: Ask, callers: number, seconds: number): Promise<LoadResult> {
  const times: LoadResult["times"] = {
    short: { first: [], between: [] },
    long: { first: [], between: [] },
    picture: { first: [], between: [] },
  };
  let tokens = 0;
  const begin = performance.now();
  const end = begin + 1000 * seconds;
  await Promise.all(
    Array.from({ length: callers }, async (_, i) => {
      const random = randomBelow(100 * callers + i);
      while (performance.now() < end) {
        const kind = (["long", "picture"] as const)[random(6)] ?? "short";
        const answer = await ask(kind, random(1000));
        times[kind].first.push(...answer.first);
        times[kind].between.push(...answer.between);
        tokens += answer.tokens;
      }
    }),
  );
  const tokensPerSecond = (1000 * tokens) / (performance.now() - begin);
  return { callers, times, tokensPerSecond, peakBytes: await peakOfChildren() };
}

function caller(engine: Engine, id: string): Ask {
  return async (kind, random) => {
    const request: GenerateRequest = {
      rounds: [
        {
          // No two begin alike, or nothing would have to be run.
          prompt: `${random} ${question.repeat(kind === "long" ? 110 : 1)}`,
          ...(kind === "picture" ? { images: 1 } : {}),
        },
      ],
      decoding: { maxNewTokens: newTokens, minNewTokens: newTokens },
    };
    const pictures = kind === "picture" ? [await madeUpPicture(random % 2 === 0 ? 0 : random)] : [];
    const first: number[] = [];
    const between: number[] = [];
    let last = performance.now();
    for await (const event of engine.generate(request, pictures, { model: id })) {
      if (event.type !== "token") continue;
      const now = performance.now();
      (first.length === 0 ? first : between).push(now - last);
      last = now;
    }
    return { first, between, tokens: first.length + between.length };
  };
}

async function peakOfChildren(): Promise<number> {
  let peak = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (!status.includes(`PPid:\t${process.pid}\n`)) continue;
    peak = Math.max(peak, 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
  }
  return peak;
}

export function printLoad({ saidBytes, results }: Awaited<ReturnType<typeof measureLoad>>): void {
  const cells = [
    ["callers", "asked", "answers", "first token, median", "95th", "between, median", "95th"],
    ...results.flatMap(({ callers, times }) =>
      Object.entries(times).map(([kind, { first, between }]) => [
        String(callers),
        kind,
        String(first.length),
        ...[first, between].flatMap((values) =>
          [0.5, 0.95].map((at) =>
            values.length === 0 ? "-" : `${quantile(values, at).toFixed(0)} ms`,
          ),
        ),
      ]),
    ),
  ];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  for (const row of cells) console.log(row.map((cell, i) => cell.padStart(widths[i]!)).join("  "));
  for (const { callers, tokensPerSecond, peakBytes } of results)
    console.log(
      `${callers} callers: ${tokensPerSecond.toFixed(1)} tokens a second, at most ${(peakBytes / 1e9).toFixed(2)} GB (said: ${(saidBytes / 1e9).toFixed(2)} GB)`,
    );
}
