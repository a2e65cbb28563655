/**
 * Penalties and bans. A processor changes one row of scores [vocabulary] in
 * place. `tokens` is the history: the begin token, then the answer so far; the
 * prompt's tokens are in no history. Where Hugging Face transformers has the
 * same processor, results equal those of release 4.36 bit for bit.
 */
import { TinyGptvError } from "@tinygptv/protocol";

/** Changes the logits [vocabulary] of the next token in place; `tokens` is the history. */
export type LogitsProcessor = (logits: Float32Array, tokens: readonly number[]) => void;

/** Divides positive scores of tokens in the history by `penalty`, multiplies negative ones by it (CTRL, arXiv 1909.05858). */
export function repetitionPenalty(penalty: number): LogitsProcessor {
  const factor = Math.fround(penalty);
  return (logits, tokens) => {
    for (const id of new Set(tokens)) {
      const score = logits[id]!;
      logits[id] = score < 0 ? score * factor : score / factor;
    }
  };
}

/** Subtracts `penalty` from the score of every token of the answer, once. */
export function presencePenalty(penalty: number): LogitsProcessor {
  return (logits, [, ...answer]) => {
    for (const id of new Set(answer)) logits[id]! -= penalty;
  };
}

/** Subtracts `penalty` from the score of a token once for each time it occurs in the answer. */
export function frequencyPenalty(penalty: number): LogitsProcessor {
  return (logits, [, ...answer]) => {
    const counts = new Map<number, number>();
    for (const id of answer) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) logits[id]! -= count * penalty;
  };
}

/** Removes every token that would complete an n-gram the history already has. */
export function noRepeatNgram(size: number): LogitsProcessor {
  return (logits, tokens) => {
    const tail = tokens.length - (size - 1);
    for (let start = 0; start + size <= tokens.length; start++) {
      let length = 0;
      while (length < size - 1 && tokens[start + length] === tokens[tail + length]) length++;
      if (length === size - 1) logits[tokens[start + length]!] = -Infinity;
    }
  };
}

/** Removes end tokens while the history, begin token included, is shorter than `length`. */
export function minLength(length: number, endTokenIds: readonly number[]): LogitsProcessor {
  return (logits, tokens) => {
    if (tokens.length >= length) return;
    for (const id of endTokenIds) logits[id] = -Infinity;
  };
}

/** Removes end tokens before `count` tokens of the answer. */
export function minNewTokens(count: number, endTokenIds: readonly number[]): LogitsProcessor {
  return minLength(count + 1, endTokenIds);
}

/** Removes every token that would complete one of the given token sequences. */
export function badWords(words: readonly (readonly number[])[]): LogitsProcessor {
  return (logits, tokens) => {
    for (const word of words) {
      const start = tokens.length - (word.length - 1);
      if (start >= 1 && word.every((id, i) => i === word.length - 1 || id === tokens[start + i])) {
        logits[word.at(-1)!] = -Infinity;
      }
    }
  };
}

/**
 * Adds a number to the scores of single tokens, given by their id.
 * @throws TinyGptvError `parameter` for an id outside the vocabulary.
 */
export function logitBias(
  biases: Readonly<Record<string, number>>,
  vocabularySize: number,
): LogitsProcessor {
  const entries = Object.entries(biases).map(([id, bias]) => ({ id: Number(id), bias }));
  for (const { id } of entries) {
    if (id < vocabularySize) continue;
    throw new TinyGptvError(
      "parameter",
      `logitBias: want token ids below ${vocabularySize}, got ${id}`,
      { subject: "logitBias" },
    );
  }
  return (logits) => {
    for (const { id, bias } of entries) logits[id]! += bias;
  };
}
