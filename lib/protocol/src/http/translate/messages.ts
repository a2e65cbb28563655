/** A conversation in OpenAI's messages and as rounds of question and answer. */
import { TinyGptvError } from "../../errors.ts";
import { imageMark, type Round } from "../../request.ts";
import type { ContentPart, Message } from "../messages.ts";

/** A picture as a request names it, and the field that names it. */
export interface PictureReference {
  readonly url: string;
  readonly param: string;
}

export interface Conversation {
  rounds: Round[];
  /** In the order of the rounds. */
  pictures: PictureReference[];
  /** Per round, the messages its prompt is made of and the one that answers it. */
  sources: RoundSource[];
}

export interface RoundSource {
  prompt: number[];
  answer?: number;
}

/** @param pictures references to the request's pictures, in order */
export function toMessages(rounds: readonly Round[], pictures: readonly string[]): Message[] {
  let next = 0;
  return rounds.flatMap(({ prompt, images, answer }): Message[] => {
    const own = pictures.slice(next, (next += images ?? 0));
    const parts = own.map((url) => ({ type: "image_url" as const, image_url: { url } }));
    const user: Message = {
      role: "user",
      content: own.length === 0 ? prompt : [...parts, { type: "text", text: prompt }],
    };
    return answer === undefined ? [user] : [user, { role: "assistant", content: answer }];
  });
}

/**
 * - System and developer messages come first; the templates have no place for
 *   them, so their text is put in front of the first user's, on lines of its own.
 * - Texts of one message, and user messages in a row, are joined by newlines.
 * - A round's pictures go before its text, where the templates have them.
 * @throws TinyGptvError "prompt" naming the message that is out of order
 */
export function fromMessages(messages: readonly Message[]): Conversation {
  const rounds: (Round & { images: number })[] = [];
  const pictures: PictureReference[] = [];
  const sources: RoundSource[] = [];
  const system: { text: string; index: number }[] = [];

  messages.forEach((message, index) => {
    const text = textOf(message.content);
    const round = rounds.at(-1);
    const open = round !== undefined && round.answer === undefined;
    switch (message.role) {
      case "system":
      case "developer":
        if (round)
          throw misplaced(index, `want ${message.role} messages before the first user message`);
        system.push({ text, index });
        return;
      case "assistant":
        if (!open) throw misplaced(index, "want a user message before an assistant message");
        round.answer = text;
        sources.at(-1)!.answer = index;
        return;
      case "user": {
        const added = picturesOf(message.content, index);
        pictures.push(...added);
        if (open) {
          round.prompt = joined([round.prompt, text]);
          round.images += added.length;
          sources.at(-1)!.prompt.push(index);
        } else {
          const before = rounds.length === 0 ? system : [];
          const prompt = joined([...before.map((one) => one.text), text]);
          rounds.push({ prompt, images: added.length });
          sources.push({ prompt: [...before.map((one) => one.index), index] });
        }
      }
    }
  });
  if (rounds.at(-1)?.answer !== undefined || rounds.length === 0)
    throw misplaced(messages.length - 1, "want the last message from the user");
  return { rounds, pictures, sources };
}

/** The message a round's text came from; of several, the one that says what must not be in it. */
export function sourceOf(
  messages: readonly Message[],
  sources: readonly RoundSource[],
  round: number,
  part: "prompt" | "answer",
): number {
  const { prompt, answer } = sources[round]!;
  if (part === "answer" && answer !== undefined) return answer;
  const guilty = prompt.find((index) => textOf(messages[index]!.content).includes(imageMark));
  return guilty ?? prompt.at(-1)!;
}

function textOf(content: string | readonly ContentPart[]): string {
  if (typeof content === "string") return content;
  return joined(content.flatMap((part) => (part.type === "text" ? [part.text] : [])));
}

function picturesOf(content: string | readonly ContentPart[], message: number): PictureReference[] {
  if (typeof content === "string") return [];
  return content.flatMap((part, index) =>
    part.type === "image_url"
      ? [{ url: part.image_url.url, param: `messages[${message}].content[${index}].image_url.url` }]
      : [],
  );
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n");
}

function misplaced(index: number, message: string): TinyGptvError {
  const subject = `messages[${index}]`;
  return new TinyGptvError("prompt", `${subject}: ${message}`, { subject });
}
