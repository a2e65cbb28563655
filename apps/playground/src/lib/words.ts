/** How numbers and faults are said on the page and in what it exports, in one place. */
import { decodingDefaults } from "@tinygptv/protocol";
import type { Answer } from "@tinygptv/notebook";

/** `1 token`, `2 tokens` */
export const count = (number: number, one: string, several = `${one}s`): string =>
  `${number} ${number === 1 ? one : several}`;

/**
 * The library says `thing: want X, got Y`; a person reads
 * `Thing: expected X, but found Y.`
 */
export function inSentence(message: string): string {
  const plain = message
    .replace(/(^|: )want /g, "$1expected ")
    .replace(/, (?:got|found) (?!.*, (?:got|found) )/, ", but found ");
  if (plain === message) return message;
  // A name of a file or a field stays as it is written.
  const begun = /^[a-z]+:/.test(plain) ? plain.charAt(0).toUpperCase() + plain.slice(1) : plain;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** Why an answer ended before its end; undefined where it did not. */
export function cutShort({ finishReason, request, tokens, usage }: Answer): string | undefined {
  if (finishReason !== "length") return undefined;
  const longest = request.decoding?.maxNewTokens ?? decodingDefaults.maxNewTokens;
  const written = usage?.completionTokens ?? tokens.length;
  return written >= longest
    ? `cut at the longest answer, ${count(longest, "token")}`
    : "cut where the model’s context was full";
}

/** @param token index of the first token that differs, undefined where none does */
export function partsFrom(other: string, token: number | undefined): string {
  if (token === undefined) return `the same tokens as ${other}`;
  return token === 0
    ? `differs from ${other} from the start`
    : `the same as ${other} for ${count(token, "token")}, then different`;
}
