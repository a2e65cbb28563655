/** Whatever the library's words can say, for property tests. */
import fc from "fast-check";
import { resolveDecoding } from "../decoding/resolve.ts";
import { decodingMethods } from "../decoding/rows/method.ts";
import type { DecodingParams } from "../decoding/parameters.ts";
import type { AnswerToken, Box, GenerateEvent, Hypothesis } from "../events.ts";
import type { GenerateRequest, Round } from "../request.ts";
import { imageModes, tasks, templates } from "../request.ts";

const number = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((value) => value + 0); // no -0: JSON has none
const integer = (min: number, max: number) => fc.integer({ min, max });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 });

const values: { [Name in keyof Required<DecodingParams>]: fc.Arbitrary<DecodingParams[Name]> } = {
  method: fc.constantFrom(...decodingMethods),
  maxNewTokens: integer(1, 4096),
  minNewTokens: integer(0, 4096),
  stop: fc
    .array(
      word.filter((one) => one !== "###"),
      { maxLength: 8 },
    )
    .map((all) => [...new Set(all)]),
  badWords: fc.array(word, { maxLength: 4 }),
  logitBias: fc.dictionary(integer(0, 50_000).map(String), number(-100, 100), { maxKeys: 3 }),
  repetitionPenalty: number(0.01, 10),
  presencePenalty: number(-2, 2),
  frequencyPenalty: number(-2, 2),
  noRepeatNgramSize: integer(0, 64),
  jsonSchema: fc
    .dictionary(word, fc.jsonValue({ maxDepth: 2 }))
    .map((schema) => JSON.stringify(schema)),
  logprobs: fc.boolean(),
  topLogprobs: integer(0, 20),
  seed: integer(-(2 ** 31), 2 ** 31),
  temperature: fc.oneof(fc.constant(0), number(0.001, 2)),
  topK: integer(0, 100_000),
  topP: number(0, 1),
  minP: number(0, 1),
  numBeams: integer(1, 16),
  numReturnSequences: integer(1, 16),
  lengthPenalty: number(-10, 10),
  earlyStopping: fc.constantFrom(true, false, "never" as const),
};

/** Decodings that are accepted; most have a few parameters. */
export const anyDecoding: fc.Arbitrary<DecodingParams> = fc
  .record(values, { requiredKeys: [] })
  .chain((all) =>
    fc
      .subarray(Object.keys(all) as (keyof DecodingParams)[], { maxLength: 5 })
      .map((names) => Object.fromEntries(names.map((name) => [name, all[name]])) as DecodingParams),
  )
  .filter((params) => {
    try {
      resolveDecoding(params);
      return true;
    } catch {
      return false;
    }
  });

/** Conversations as an endpoint can be told them, and how many pictures they have. */
const anyRounds: fc.Arbitrary<Round[]> = fc
  .array(fc.record({ prompt: text, images: integer(0, 3), answer: text }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((rounds) =>
    rounds.map(({ answer, ...round }, i) =>
      i === rounds.length - 1 ? round : { ...round, answer },
    ),
  );

export const anyRequest: fc.Arbitrary<GenerateRequest> = fc.record({
  rounds: anyRounds,
  task: optional(fc.constantFrom(...tasks)),
  template: optional(fc.constantFrom(...templates)),
  imageMode: optional(fc.constantFrom(...imageModes)),
  answerPrefix: optional(fc.array(integer(0, 50_000), { maxLength: 5 })),
  decoding: anyDecoding,
});

const box: fc.Arbitrary<Box> = fc.record({
  phrase: text,
  percent: fc.tuple(number(0, 100), number(0, 100), number(0, 100), number(0, 100)),
  pixels: fc.tuple(number(0, 900), number(0, 900), number(0, 900), number(0, 900)),
  image: integer(0, 3),
});

const encoder = new TextEncoder();

/** Bytes as a token: told where its text is not all of them. */
function tokenOf(bytes: Uint8Array, logprob: number): AnswerToken {
  const shown = new TextDecoder().decode(bytes);
  const told = shown.includes("\u{fffd}");
  return { id: bytes[0] ?? 0, text: shown, logprob, ...(told && { bytes: [...bytes] }) };
}

export interface Spoken {
  text: string;
  /** All of it, the end mark included, cut into tokens anywhere. */
  tokens: AnswerToken[];
}

/** A text with a stop text behind it, and tokens that hold both, cut within characters and across the border. */
export const anySpoken: fc.Arbitrary<Spoken> = fc
  .record({ text, stop: fc.constantFrom("", "###", "stop", "§§ and more"), size: integer(1, 5) })
  .map(({ text: said, stop, size }) => {
    const bytes = encoder.encode(said + stop);
    const tokens = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      tokenOf(bytes.slice(i * size, (i + 1) * size), -(i + 1) / 8),
    );
    return { text: said, tokens };
  });

const anyHypothesis: fc.Arbitrary<Hypothesis> = fc
  .record({
    spoken: anySpoken,
    boxes: fc.array(box, { maxLength: 2 }),
    finishReason: fc.constantFrom("stop" as const, "length" as const),
  })
  .map(({ spoken, ...rest }) => ({ ...spoken, ...rest }));

/** The events of one answer as the engine gives them: tokens first, then the text they complete. */
export const anyAnswer: fc.Arbitrary<GenerateEvent[]> = fc
  .record({
    hypothesis: anyHypothesis,
    start: fc.record({
      type: fc.constant("start" as const),
      model: word,
      promptText: text,
      images: fc.array(
        fc.record({
          hash: word,
          width: integer(1, 99),
          height: integer(1, 99),
          cached: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
    }),
    usage: fc.record({
      promptTokens: integer(1, 99),
      imageTokens: integer(0, 99),
      completionTokens: integer(1, 99),
      cachedTokens: integer(0, 99),
    }),
    seed: optional(integer(0, 99)),
  })
  .map(({ hypothesis, start, usage, seed }) => [
    start,
    ...streamed(hypothesis),
    {
      type: "end",
      hypotheses: [hypothesis],
      usage,
      timings: { queue: 1, image: 2, prefill: 3, decode: 4, total: 10 },
      ...(seed !== undefined && { seed }),
    },
  ]);

function streamed({ text: said, tokens }: Hypothesis): GenerateEvent[] {
  const decoder = new TextDecoder();
  let out = 0;
  return tokens.flatMap((token): GenerateEvent[] => {
    const bytes = Uint8Array.from(token.bytes ?? encoder.encode(token.text));
    const delta = decoder.decode(bytes, { stream: true }).slice(0, said.length - out);
    out += delta.length;
    return [
      { type: "token", token },
      ...(delta === "" ? [] : [{ type: "delta" as const, text: delta }]),
    ];
  });
}
