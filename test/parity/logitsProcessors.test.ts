import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openSafetensors } from "../../lib/convert/src/checkpoint/safetensors.ts";
import type { WeightSource } from "../../lib/convert/src/checkpoint/weightSource.ts";
import {
  minLength,
  noRepeatNgram,
  repetitionPenalty,
} from "../../lib/runtime/src/decoding/logitsProcessors.ts";
import type { LogitsProcessor } from "../../lib/runtime/src/decoding/logitsProcessors.ts";
import { temperature, topK, topP } from "../../lib/runtime/src/decoding/logitsWarpers.ts";
import { toFloat32 } from "../../lib/model/src/tensor/half.ts";

interface ProcessorCases {
  history: number[][];
  cases: { tensor: string; steps: [name: string, value: number][]; eos_token_id: number }[];
}

/** The reference's names. */
const factories: Record<string, (value: number, endTokenId: number) => LogitsProcessor> = {
  repetition_penalty: repetitionPenalty,
  no_repeat_ngram_size: noRepeatNgram,
  min_length: (length, endTokenId) => minLength(length, [endTokenId]),
  temperature,
  top_k: topK,
  top_p: topP,
};

describe.each(["micro-stage4", "micro-stage3"])("logits processors of %s", (set) => {
  const folder = join(import.meta.dirname, "../fixtures", set);
  const { processors } = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) as {
    processors: ProcessorCases;
  };
  let golden: WeightSource;
  beforeAll(async () => {
    golden = await openSafetensors(join(folder, "golden.safetensors"));
  });
  afterAll(() => golden.close());

  const rowsOf = async (name: string) => {
    const values = toFloat32(await golden.read(name), "float32");
    const width = values.length / processors.history.length;
    return processors.history.map((_, row) => values.slice(row * width, (row + 1) * width));
  };

  test.each(processors.cases)("$steps", async ({ tensor, steps, eos_token_id: endTokenId }) => {
    const [rows, expected] = await Promise.all([rowsOf("processors.logits"), rowsOf(tensor)]);
    for (const [row, logits] of rows.entries()) {
      for (const [name, value] of steps) {
        factories[name]!(value, endTokenId)(logits, processors.history[row]!);
      }
      expect(logits).toEqual(expected[row]);
    }
  });
});
