/** What a request's fields are called where the library names its own. */
import { decodingNames, rowOf, type DecodingName } from "../../decoding/parameters.ts";
import type { NameOf } from "../../names.ts";
import type { Message } from "../messages.ts";
import { sourceOf, type RoundSource } from "./messages.ts";

const names: Readonly<Record<string, string>> = {
  ...Object.fromEntries(decodingNames.map((name: DecodingName) => [name, rowOf(name).http])),
  // What is said of a prompt as a whole.
  prompt: "messages",
  rounds: "messages",
  images: "messages",
};

/** `maxNewTokens` -> `max_tokens`, `answerPrefix[3]` -> `answer_prefix[3]` */
export const httpName: NameOf = (subject) => {
  const head = /^\w*/.exec(subject)![0];
  const rest = subject.slice(head.length);
  return (names[head] ?? head.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) + rest;
};

const libraryNames = new Map(
  decodingNames.flatMap((name) => {
    const { http } = rowOf(name);
    return http === undefined ? [] : [[http, name] as const];
  }),
);

/** Names of fields that are parameters of the library. */
export const parameterFields: readonly string[] = [...libraryNames.keys()];

/** `max_tokens` -> `maxNewTokens`, what is no parameter as it is: the way back. */
export const libraryName: NameOf = (field) => {
  const head = /^\w*/.exec(field)![0];
  return libraryNames.get(head) ?? field;
};

/** The same, and a round's texts as the messages they came from. */
export function namesIn(messages: readonly Message[], sources: readonly RoundSource[]): NameOf {
  return (subject) => {
    const [, round, part = ""] = /^rounds\[(\d+)\](?:\.(prompt|answer))?$/.exec(subject) ?? [];
    if (round === undefined || sources[Number(round)] === undefined) return httpName(subject);
    const of = part === "answer" ? "answer" : "prompt";
    const index = sourceOf(messages, sources, Number(round), of);
    return `messages[${index}]${part === "" ? "" : ".content"}`;
  };
}
