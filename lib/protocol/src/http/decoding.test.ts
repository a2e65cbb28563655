import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodingNames, rowOf, type DecodingParams } from "../decoding/parameters.ts";
import { resolveDecoding, withEndMark, withoutChance } from "../decoding/resolve.ts";
import { anyDecoding } from "../testing/arbitraries.ts";
import { chatRequestSchema } from "./chat.ts";
import {
  decodingFields,
  decodingParametersSchema,
  fromHttpDecoding,
  toHttpDecoding,
} from "./decoding.ts";
import { toChatRequest } from "./translate/request.ts";

/** What a decoding becomes in a request; every request must be one the endpoint takes. */
function sent(decoding: DecodingParams): Record<string, unknown> {
  const request = toChatRequest({ rounds: [{ prompt: "x" }], decoding }, [], undefined);
  expect(chatRequestSchema.safeParse(request).error).toBeUndefined();
  const { messages: _messages, stream: _stream, stream_options: _options, ...rest } = request;
  return rest;
}

describe("a decoding in the endpoint's words", () => {
  it.each<[DecodingParams, Record<string, unknown>]>([
    [{}, {}],
    [{ method: "greedy", maxNewTokens: 5 }, { max_tokens: 5 }],
    [{ method: "sample" }, { temperature: 1 }],
    [
      { method: "sample", temperature: 0.5, topK: 3, topP: 0.9, minP: 0.1, seed: 7 },
      { temperature: 0.5, top_k: 3, top_p: 0.9, min_p: 0.1, seed: 7 },
    ],
    [{ method: "beam" }, { num_beams: 4 }],
    [
      { numBeams: 3, lengthPenalty: 2, earlyStopping: "never", numReturnSequences: 1 },
      { num_beams: 3, length_penalty: 2, early_stopping: "never" },
    ],
    [
      { numBeams: 3, numReturnSequences: 2 },
      { num_beams: 3, return_hypotheses: true },
    ],
    [
      { minNewTokens: 2, repetitionPenalty: 1.1, presencePenalty: 1, frequencyPenalty: -1 },
      { min_tokens: 2, repetition_penalty: 1.1, presence_penalty: 1, frequency_penalty: -1 },
    ],
    [
      { noRepeatNgramSize: 3, badWords: ["a", "b"], logitBias: { "7": -100 } },
      { no_repeat_ngram_size: 3, bad_words: ["a", "b"], logit_bias: { "7": -100 } },
    ],
    // The protocol's alternatives bring their log-probabilities; the endpoint's want them said.
    [{ topLogprobs: 5 }, { logprobs: true, top_logprobs: 5 }],
    [{ logprobs: true }, { logprobs: true }],
  ])("says %j as %j", (decoding, expected) => {
    expect(sent(decoding)).toEqual(expected);
  });

  it("leaves out the stop text the endpoint adds by itself", () => {
    expect(sent({ stop: ["###", "."] })).toEqual({ stop: ["."] });
    expect(sent({ stop: [..."abcdefgh", "###"] })).toEqual({ stop: [..."abcdefgh"] });
    expect(sent({ stop: ["###"] })).toEqual({});
  });

  it("asks for JSON that is valid under a schema", () => {
    const schema = { type: "object", properties: { colour: { type: "string" } } };
    expect(sent({ jsonSchema: JSON.stringify(schema) })).toEqual({
      response_format: { type: "json_schema", json_schema: { name: "answer", schema } },
    });
    // Any value at all: the endpoint's schemas are objects.
    expect(sent({ jsonSchema: "true" })).toHaveProperty("response_format.json_schema.schema", {});
    expect(() => sent({ jsonSchema: "{" })).toThrow("jsonSchema#: want JSON");
  });
});

describe("there and back", () => {
  it("a decoding is the same decoding", () => {
    fc.assert(
      fc.property(anyDecoding, (given) => {
        const asked = withEndMark(given);
        const fields = decodingParametersSchema.parse(toHttpDecoding(asked));
        const back = fromHttpDecoding(fields);
        // How many beams come back is said with the number of answers.
        const { numReturnSequences: _answers, ...rest } = asked;
        expect(resolveDecoding(back, () => 7)).toEqual(resolveDecoding(rest, () => 7));
      }),
    );
  });

  it("fields are the same fields", () => {
    fc.assert(
      fc.property(anyDecoding, (given) => {
        const fields = toHttpDecoding(withoutChance(withEndMark(given)));
        expect(toHttpDecoding(fromHttpDecoding(fields))).toEqual(fields);
      }),
    );
  });

  it("every parameter has a field, or is told otherwise", () => {
    const told = ["method", "numReturnSequences"];
    for (const name of decodingNames.filter((one) => !told.includes(one)))
      expect(Object.keys(decodingFields)).toContain(rowOf(name).http);
  });
});
