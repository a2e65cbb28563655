import { expect, test } from "vitest";

import { decode } from "./decode.ts";
import { resolveDecoding } from "@tinygptv/protocol";
import { runDecoder } from "./runDecoder.ts";
import { decodingInput } from "./testing/decodingInput.ts";
import { fakeLanguageModel } from "./testing/fakeLanguageModel.ts";
import type { FakeLanguageModel } from "./testing/fakeLanguageModel.ts";
import { together } from "./together.ts";

const starts = [
  [{ maxNewTokens: 9 }, [7, 3, 5]],
  [{ maxNewTokens: 4, numBeams: 3 }, [2]],
  [{ maxNewTokens: 14, seed: 3 }, [1, 1, 4, 8]],
] as const;

const start = (model: FakeLanguageModel, [params, tokens]: (typeof starts)[number]) =>
  decode(decodingInput(model, { prompt: { tokens } }), resolveDecoding(params));

test("decoders run together answer as they do alone, in fewer steps", async () => {
  const expected = await Promise.all(
    starts.map((own) => {
      const alone = fakeLanguageModel();
      return runDecoder(start(alone, own), alone);
    }),
  );
  const model = fakeLanguageModel();
  const all = together(starts.map((own) => start(model, own)));
  expect(await runDecoder(all, model)).toEqual(expected);
  expect(model.batches).toHaveLength(14);
  expect(Math.max(...model.batches)).toBe(5);
});

test("one that fails ends all, and all release their sequences", async () => {
  const model = fakeLanguageModel();
  const failing = decode(
    decodingInput(model, {
      emit: () => {
        throw new Error("no listener");
      },
    }),
    resolveDecoding({ maxNewTokens: 3 }),
  );
  await expect(
    runDecoder(together([start(model, starts[0]), start(model, starts[1]), failing]), model),
  ).rejects.toThrow("no listener");
  expect(model.live).toBe(3);
});

test("nothing to run is nothing to do", async () => {
  expect(await runDecoder(together([]), fakeLanguageModel())).toEqual([]);
});
