import {
  decodingNames,
  resolveDecoding,
  type DecodingName,
  type DecodingParams,
} from "@tinygptv/protocol";
import { describe, expect, test } from "vitest";
import { processorsFor } from "./processorsFor.ts";
import { decodingInput } from "./testing/decodingInput.ts";
import { fakeLanguageModel } from "./testing/fakeLanguageModel.ts";

/** Parameters that are honoured by something else than a processor, and by what. */
const elsewhere: Partial<Record<DecodingName, string>> = {
  method: "decode.ts",
  maxNewTokens: "answerLimit",
  stop: "stopTexts",
  badWords: "their ids are the decoder's input",
  jsonSchema: "its constraint is the decoder's input",
  logprobs: "tokenDescriber",
  topLogprobs: "tokenDescriber",
  seed: "sampling.ts",
  numBeams: "beam.ts",
  numReturnSequences: "beam.ts",
  lengthPenalty: "beam.ts",
  earlyStopping: "hypotheses.ts",
};

/** A value of each of the others that changes something. */
const telling: DecodingParams = {
  minNewTokens: 1,
  repetitionPenalty: 1.1,
  presencePenalty: 1,
  frequencyPenalty: 1,
  noRepeatNgramSize: 2,
  logitBias: { "3": 1 },
  temperature: 0.5,
  topK: 7,
  topP: 0.5,
  minP: 0.1,
};

const count = (params: DecodingParams): number =>
  processorsFor(resolveDecoding({ topK: 0, ...params }), decodingInput(fakeLanguageModel())).length;

describe("every parameter of the table", () => {
  test("has a processor or another place", () => {
    const placed = [...Object.keys(elsewhere), ...Object.keys(telling)];
    expect(placed.toSorted()).toEqual(decodingNames.toSorted());
  });

  test.each(Object.entries(telling))("%s changes what is done", (name, value) => {
    expect(count({ [name]: value })).toBe(1);
  });
});
