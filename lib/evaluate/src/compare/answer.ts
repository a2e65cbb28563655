import { throwIfAborted } from "@tinygptv/protocol";
import type { Language } from "./parts.ts";

export interface AnswerOptions {
  /** Tokens at most. */
  maxTokens: number;
  signal?: AbortSignal | undefined;
}

/**
 * Answers token by token, as a conversation does it: every token sees the kernels of single steps.
 * @param next the token to go on with, given the logits; ends after one of the model's end tokens
 */
export async function answer(
  { model, ends }: Language,
  embeds: Float32Array,
  { maxTokens, signal }: AnswerOptions,
  next: (logits: Float32Array, step: number) => number,
): Promise<number[]> {
  const tokens: number[] = [];
  const sequence = model.create();
  try {
    let [logits] = await model.forward([{ sequence, input: { embeds }, logits: "last" }]);
    for (;;) {
      throwIfAborted(signal);
      const token = next(logits!, tokens.length);
      tokens.push(token);
      if (ends.has(token) || tokens.length >= maxTokens) return tokens;
      const input = { tokens: [token] };
      [logits] = await model.forward([{ sequence, input, logits: "last" }]);
    }
  } finally {
    model.release(sequence);
  }
}
