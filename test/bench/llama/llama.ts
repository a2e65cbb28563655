/** The subject that is llama.cpp: FILE THREADS. */
import { serve, timed, type Measurement } from "../messages.ts";

/** What is used of node-llama-cpp, which is installed by the benchmark only. */
interface LlamaModule {
  getLlama(options: {
    gpu: false;
    build: "never";
    maxThreads: number;
    progressLogs: false;
    logLevel: "error";
  }): Promise<{
    loadModel(options: { modelPath: string }): Promise<{
      createContext(options: {
        contextSize: number;
        threads: { ideal: number; min: number };
      }): Promise<{ getSequence(): LlamaSequence }>;
    }>;
  }>;
}

interface LlamaSequence {
  readonly nextTokenIndex: number;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { temperature: 0; yieldEogToken: true },
  ): AsyncGenerator<number>;
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
}

const [file, threadsText] = process.argv.slice(2) as [string, string];
const threads = Number(threadsText);
const specifier: string = "node-llama-cpp";
const { getLlama } = (await import(specifier)) as LlamaModule;
const llama = await getLlama({
  gpu: false,
  build: "never",
  maxThreads: threads,
  progressLogs: false,
  logLevel: "error",
});
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({
  contextSize: 2048,
  threads: { ideal: threads, min: threads },
});
const sequence = context.getSequence();

const tokensOf = (count: number) => Array.from({ length: count }, (_, i) => 1000 + i);

async function cut(length: number): Promise<void> {
  if (sequence.nextTokenIndex > length)
    await sequence.eraseContextTokenRanges([{ start: length, end: sequence.nextTokenIndex }]);
}

async function prefill(count: number): Promise<number[]> {
  await cut(0);
  // With the first token of an answer, as ours computes its logits.
  const first = async () => {
    for await (const _ of sequence.evaluate(tokensOf(count), {
      temperature: 0,
      yieldEogToken: true,
    }))
      return;
  };
  return [await timed(first)];
}

async function decode(length: number, steps: number): Promise<number[]> {
  await cut(length - 1);
  const missing = tokensOf(length).slice(sequence.nextTokenIndex);
  const times: number[] = [];
  let last = 0;
  for await (const _ of sequence.evaluate(missing, { temperature: 0, yieldEogToken: true })) {
    const now = performance.now();
    if (last > 0) times.push(now - last);
    last = performance.now();
    if (times.length === steps) break;
  }
  return times;
}

serve((what: Measurement) => {
  switch (what.kind) {
    case "decode":
      return decode(what.context, what.steps);
    case "prefill":
      return prefill(what.tokens);
    case "picture":
      return Promise.reject(new Error("llama.cpp is asked for text only"));
  }
});
