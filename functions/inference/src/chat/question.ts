/** What requests ask, as the engine takes it: OpenAI's messages as rounds of question and answer. */
import type { GenerateRequest, Round } from "@tinygptv/protocol";
import type { ChatRequest, ContentPart, Message } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";
import type { PictureReference } from "../images/loadPictures.ts";

export interface Question {
  question: Pick<GenerateRequest, "rounds" | "task" | "template" | "imageMode">;
  /** In the order of the rounds. */
  pictures: PictureReference[];
}

/** @throws HttpError invalid_prompt naming the message that is out of order */
export function toQuestion(
  body: Pick<ChatRequest, "messages" | "task" | "template" | "image_mode">,
): Question {
  const { rounds, pictures } = toRounds(body.messages);
  return {
    question: { rounds, task: body.task, template: body.template, imageMode: body.image_mode },
    pictures,
  };
}

/**
 * - System and developer messages come first; the templates have no place for
 *   them, so their text is put in front of the first user's, on lines of its own.
 * - Texts of one message, and user messages in a row, are joined by newlines.
 * - A round's pictures go before its text, where the templates have them.
 */
function toRounds(messages: readonly Message[]): { rounds: Round[]; pictures: PictureReference[] } {
  const rounds: (Round & { images: number })[] = [];
  const pictures: PictureReference[] = [];
  const system: string[] = [];
  const fail = (index: number, message: string) =>
    new HttpError("invalid_prompt", `messages[${index}]: ${message}`, {
      param: `messages[${index}]`,
    });

  messages.forEach((message, index) => {
    const text = textOf(message.content);
    const round = rounds.at(-1);
    const open = round !== undefined && round.answer === undefined;
    switch (message.role) {
      case "system":
      case "developer":
        if (round) throw fail(index, `want ${message.role} messages before the first user message`);
        system.push(text);
        return;
      case "assistant":
        if (!open) throw fail(index, "want a user message before an assistant message");
        round.answer = text;
        return;
      case "user": {
        const added = picturesOf(message.content, index);
        pictures.push(...added);
        if (open) {
          round.prompt = joined([round.prompt, text]);
          round.images += added.length;
        } else {
          const prompt = rounds.length === 0 ? joined([...system, text]) : text;
          rounds.push({ prompt, images: added.length });
        }
      }
    }
  });
  if (rounds.at(-1)?.answer !== undefined || rounds.length === 0)
    throw fail(messages.length - 1, "want the last message from the user");
  return { rounds, pictures };
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
