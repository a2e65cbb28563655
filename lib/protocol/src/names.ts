/** Errors name things as the library does; whoever said them in other words reads those. */
import { decodingNames } from "./decoding/parameters.ts";
import type { TinyGptvError } from "./errors.ts";

/** What the caller calls a thing of the library: `maxNewTokens`, `rounds[1].prompt`. */
export type NameOf = (subject: string) => string;

const anyName = new RegExp(`\\b(?:${decodingNames.join("|")})\\b`, "g");

/** The message and subject of an error in the caller's names; what the caller gave is left as it was. */
export function renamed(
  { message, subject }: Pick<TinyGptvError, "message" | "subject">,
  nameOf: NameOf,
): { message: string; subject: string | undefined } {
  if (subject === undefined) return { message, subject };
  const name = nameOf(subject);
  const isNamed = message.startsWith(subject);
  const rest = isNamed ? message.slice(subject.length) : message;
  const given = rest.lastIndexOf(", got ");
  const [said, got] = given < 0 ? [rest, ""] : [rest.slice(0, given), rest.slice(given)];
  return {
    message: `${isNamed ? name : ""}${said.replace(anyName, (one) => nameOf(one))}${got}`,
    subject: name,
  };
}
