/** From examples to what the graphs take: rows of tokens and pictures, targets, masks. */
import { encodePrompt } from "tinygptv/parts";
import type { Tokenizer } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { hidden } from "@tinygptv/network/feeds";
import type { Example } from "./data/example.ts";

/** One example as a row of positions. */
export interface Row {
  /** Token of each position; -1 - i where the i-th row of the example's pictures stands. */
  readonly positions: readonly number[];
  /** Positions whose next token is learnt, and that token. */
  readonly targets: readonly { readonly at: number; readonly token: number }[];
  /** Positions that no other sees. */
  readonly unseen: ReadonlySet<number>;
  /** Paths of its pictures, one for each mark. */
  readonly pictures: readonly string[];
}

/** Prompts are cut at so many positions (the reference's `max_context_len`). */
const maxPrompt = 3800;

/**
 * begin token, prompt with its pictures, answer and end symbol; in further rounds
 * the question follows behind another begin token, and is not learnt.
 *
 * The reference's mask is "not the padding token", and that is the begin token:
 * so what is before an answer's end is not seen at each further question's begin
 * token, a hole in the mask (its `concat_emb_input_output` and `forward`).
 *
 * @throws TinyGptvError "prompt" naming the example's place
 */
export function encodeExample(
  { place, picture, rounds, endSymbol, maxAnswerTokens }: Example,
  tokenizer: Pick<Tokenizer, "encode" | "endOfTextId">,
  queryTokens: number,
): Row {
  const begin = tokenizer.endOfTextId;
  const [first, ...further] = rounds;
  const segments = encodePrompt(tokenizer, first!.prompt);
  const marks = segments.length - 1;
  if (marks > 0 && picture === undefined)
    throw new TinyGptvError("prompt", `${place}: want a picture for ${marks} marks, got none`);
  const prompt = segments.flatMap((ids, i) => [
    ...(i === 0
      ? []
      : Array.from({ length: queryTokens }, (_, q) => -1 - ((i - 1) * queryTokens + q))),
    ...ids,
  ]);

  const answers: { token: number; isLearnt: boolean }[] = [];
  const say = (text: string, isLearnt: boolean) => {
    for (const token of tokenizer.encode(text, "prompt"))
      answers.push({ token, isLearnt: isLearnt && token !== begin });
  };
  say(first!.answer + endSymbol, true);
  for (const { prompt: question, answer } of further) {
    answers.push({ token: begin, isLearnt: false });
    say(question, false);
    say(answer + endSymbol, true);
  }
  const kept = answers.slice(0, maxAnswerTokens);
  if (!kept.some(({ isLearnt }) => isLearnt))
    throw new TinyGptvError("prompt", `${place}: want an answer of at least one token, got none`);

  const before = [begin, ...prompt.slice(0, maxPrompt)];
  const at = (i: number) => before.length + i;
  return {
    positions: [...before, ...kept.map(({ token }) => token)],
    targets: kept.flatMap(({ token, isLearnt }, i) => (isLearnt ? [{ at: at(i) - 1, token }] : [])),
    unseen: new Set(kept.flatMap(({ token }, i) => (token === begin ? [at(i)] : []))),
    pictures: Array.from({ length: marks }, () => picture!),
  };
}

/** Rows side by side, padded to the longest. */
export interface Batch {
  readonly rows: readonly Row[];
  /** Positions of each row, padding included. */
  readonly length: number;
  /** Answer tokens of all rows together. */
  readonly targets: number;
}

/** Rows to be run together. */
export function batchOf(rows: readonly Row[]): Batch {
  return {
    rows,
    length: Math.max(...rows.map(({ positions }) => positions.length)),
    targets: rows.reduce((sum, { targets }) => sum + targets.length, 0),
  };
}

/** (B,1,S,S): 0, or `hidden` for what a position must not see: what is ahead, what nobody sees, padding. */
export function maskOf({ rows, length }: Batch): Float32Array {
  const mask = new Float32Array(rows.length * length * length);
  rows.forEach(({ positions, unseen }, row) => {
    const isSeen = Array.from({ length }, (_, at) => at < positions.length && !unseen.has(at));
    for (let from = 0; from < length; from++)
      for (let to = 0; to < length; to++)
        if (to > from || !isSeen[to]) mask[(row * length + from) * length + to] = hidden.float32;
  });
  return mask;
}
