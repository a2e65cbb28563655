import type { DecodedAnswer, DecodingInput } from "../decoder.ts";
import type { FakeLanguageModel } from "./fakeLanguageModel.ts";

export const beginTokenId = 10;
export const promptTokens = [7, 3, 5];

/** A decoder's input on a new sequence of a fake model: a prompt of three tokens, no end tokens. */
export function decodingInput(
  model: FakeLanguageModel,
  overrides: Partial<DecodingInput> = {},
): DecodingInput {
  return {
    model,
    sequence: model.create(),
    prompt: { tokens: promptTokens },
    beginTokenId,
    endTokenIds: [],
    isStopped: () => false,
    badWordIds: [],
    ...overrides,
  };
}

export function idsOf(answer: DecodedAnswer): number[] {
  return answer.tokens.map(({ id }) => id);
}
