/** Errors name things as those do who throw them; whoever said them in other words reads those. */
import { decodingNames } from "./decoding/parameters.ts";
import type { TinyGptvError } from "./errors.ts";

/** What the reader calls a thing: `maxNewTokens`, `rounds[1].prompt`. */
export type NameOf = (subject: string) => string;

/**
 * The message and subject of an error in the reader's names; what was given is
 * left as it was.
 * @param known names that may stand anywhere in what the message wants
 */
export function renamed(
  { message, subject }: Pick<TinyGptvError, "message" | "subject">,
  nameOf: NameOf,
  known: readonly string[] = decodingNames,
): { message: string; subject: string | undefined } {
  if (subject === undefined) return { message, subject };
  const name = nameOf(subject);
  const isNamed = message.startsWith(subject);
  const rest = isNamed ? message.slice(subject.length) : message;
  const given = rest.lastIndexOf(", got ");
  const [said, got] = given < 0 ? [rest, ""] : [rest.slice(0, given), rest.slice(given)];
  const anyName = new RegExp(`\\b(?:${known.join("|")})\\b`, "g");
  return {
    message: `${isNamed ? name : ""}${said.replace(anyName, (one) => nameOf(one))}${got}`,
    subject: name,
  };
}
