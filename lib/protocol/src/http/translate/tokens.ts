/** Tokens with their log-probabilities, and which of them a text is made of. */
import type { AnswerToken, TokenAlternative } from "../../events.ts";
import type { Logprobs, TokenLogprob } from "../answers.ts";

/** JSON has no -Infinity; OpenAI writes this for a token without probability. */
const noProbability = -9999;
const encoder = new TextEncoder();

const bytesOf = ({ text, bytes }: Pick<AnswerToken, "text" | "bytes">): number[] =>
  bytes ?? [...encoder.encode(text)];

function toAlternative(token: TokenAlternative): Omit<TokenLogprob, "top_logprobs"> {
  const { id, text, logprob } = token;
  return {
    token: text,
    id,
    logprob: Number.isFinite(logprob) ? logprob : noProbability,
    bytes: bytesOf(token),
  };
}

/** Tokens that carry log-probabilities; all do where the request asked for them. */
export function toLogprobs(tokens: readonly AnswerToken[]): TokenLogprob[] {
  return tokens.flatMap(({ logprob, top = [], ...token }) =>
    logprob === undefined
      ? []
      : [{ ...toAlternative({ ...token, logprob }), top_logprobs: top.map(toAlternative) }],
  );
}

function fromAlternative({ id, token, logprob, bytes }: Omit<TokenLogprob, "top_logprobs">) {
  const told = bytes === null || isText(token, bytes);
  return { id, text: token, logprob, ...(told ? {} : { bytes }) };
}

export function fromLogprob({ whole, top_logprobs, ...token }: TokenLogprob): AnswerToken {
  const top = top_logprobs.map(fromAlternative);
  return { ...fromAlternative({ ...token, ...whole }), ...(top.length > 0 && { top }) };
}

function isText(text: string, bytes: readonly number[]): boolean {
  const own = encoder.encode(text);
  return own.length === bytes.length && own.every((byte, i) => byte === bytes[i]);
}

/**
 * Deals out the tokens of a text as the text comes: a character may span
 * several, and what may be the begin of a stop text is held back.
 */
export interface TokenDealer {
  push(token: AnswerToken): void;
  /** The tokens that are out now that `text` is. */
  advance(text: string): TokenLogprob[];
  /** What is left: of the last token of the text the part before its end, then what ended it. */
  end(): { content: TokenLogprob[]; end: TokenLogprob[] };
}

/** A token and the UTF-16 units of the text, from `start` to `end`, that its bytes are part of. */
interface Placed {
  token: AnswerToken;
  start: number;
  end: number;
  /** Bytes at its end that begin a character. */
  open: number;
}

export function createTokenDealer(): TokenDealer {
  const decoder = new TextDecoder();
  const waiting: Placed[] = [];
  let tail: number[] = [];
  /** UTF-16 units that all tokens so far stand for, and how many of them are out. */
  let known = 0;
  let out = 0;
  return {
    push(token) {
      const bytes = bytesOf(token);
      const text = decoder.decode(Uint8Array.from(bytes), { stream: true });
      tail = [...tail, ...bytes].slice(-3);
      const open = Math.min(bytes.length, openBytes(tail));
      // What is more than its own is the end of a character that never was completed.
      const lead = token.bytes ? 0 : Math.max(0, text.length - token.text.length);
      const start = known + lead;
      known += text.length;
      waiting.push({ token, start, end: known + Math.sign(open), open });
    },
    advance(text) {
      out += text.length;
      const next = waiting.findIndex(({ start, end }) => end > out || start >= out);
      const ready = waiting.splice(0, next < 0 ? waiting.length : next);
      return toLogprobs(ready.map(({ token }) => token));
    },
    end() {
      const rest = waiting.splice(0);
      const first = rest.findIndex(({ start }) => start >= out);
      const [inside, after] = first < 0 ? [rest, []] : [rest.slice(0, first), rest.slice(first)];
      return {
        content: inside.flatMap((placed) =>
          toLogprobs([placed.token]).map((one) => cut(one, placed, out)),
        ),
        end: toLogprobs(after.map(({ token }) => token)),
      };
    },
  };
}

/** How many of the last bytes begin a character that is not complete. */
function openBytes(bytes: readonly number[]): number {
  const begin = bytes.findLastIndex((byte) => byte >= 0xc0);
  if (begin < 0 || bytes.slice(begin + 1).some((byte) => byte < 0x80)) return 0;
  const strict = new TextDecoder("utf-8", { fatal: true });
  try {
    const complete = strict.decode(Uint8Array.from(bytes.slice(begin)), { stream: true });
    return complete === "" ? bytes.length - begin : 0;
  } catch {
    return 0; // never was a character
  }
}

/** A token without what is behind the text's end; what it stands for uncut is kept beside. */
function cut(token: TokenLogprob, { end, open }: Placed, out: number): TokenLogprob {
  if (end <= out) return token;
  const { token: text, bytes } = token;
  const kept = text.length - (end - out);
  // A character that is not complete shows as one U+FFFD.
  const tail = encoder.encode(text.slice(kept, open > 0 ? -1 : undefined)).length + open;
  return {
    ...token,
    token: text.slice(0, kept),
    bytes: bytes && bytes.slice(0, bytes.length - tail),
    whole: { token: text, bytes },
  };
}

/** The tokens of a finished text; null where nobody asked. */
export function logprobsOf(
  { text, tokens }: { text: string; tokens: readonly AnswerToken[] },
  asked: boolean,
): Logprobs | null {
  if (!asked) return null;
  const dealer = createTokenDealer();
  for (const token of tokens) dealer.push(token);
  const begun = dealer.advance(text);
  const { content, end } = dealer.end();
  return toLogprobsField([...begun, ...content], end);
}

export function toLogprobsField(content: TokenLogprob[], end: TokenLogprob[] = []): Logprobs {
  return { content, refusal: null, ...(end.length > 0 && { end }) };
}

/** All tokens of an answer again, those that ended it included. */
export function fromLogprobs(logprobs: Logprobs | null): AnswerToken[] {
  if (logprobs === null) return [];
  return [...logprobs.content, ...(logprobs.end ?? [])].map(fromLogprob);
}
