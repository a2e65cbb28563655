import { TinyGptvError, imageMark, tasks } from "@tinygptv/protocol";
import type { Round, Task, Template } from "@tinygptv/protocol";
import type { Tokenizer } from "@tinygptv/model";

/** What a template puts around the text of a round, and once in front of everything. */
interface TemplateParts {
  readonly system: string;
  readonly before: string;
  readonly after: string;
}

/** The prompts of the reference's demos and evaluation scripts, to the letter. */
const templateParts: Readonly<Record<Exclude<Template, "raw">, TemplateParts>> = {
  stage4: { system: "", before: "<s>[INST] ", after: " [/INST]" },
  stage3: {
    system:
      "Give the following image: <Img>ImageContent</Img>. You will be able to see the image once I provide it to you. Please answer my questions.",
    before: "###Human: ",
    after: "###Assistant: ",
  },
  evaluation: { system: "", before: "###Human: ", after: "###Assistant: " },
  choice: { system: "", before: "###Human: ", after: " ###Assistant: " },
};

const pictureText = `<Img>${imageMark}</Img> `;

export interface PromptRequest {
  readonly rounds: readonly Round[];
  readonly template: Template;
  /** Its tag goes in front of the last round's text; earlier rounds stand as they were asked. */
  readonly task?: Task | undefined;
  /** Pictures of the request. Where no round says how many are its own, all belong to the first. */
  readonly imageCount: number;
}

/**
 * The text of a prompt, `imageMark` once for every picture, in their order.
 * Answers of earlier rounds are put in as they are, right after the text that
 * asked for them. With the template `raw`, rounds and answers are joined
 * without anything between, and the marks are the caller's.
 *
 * @throws TinyGptvError "prompt": the rounds do not fit the template or the pictures
 */
export function buildPrompt({ rounds, template, task, imageCount }: PromptRequest): string {
  requireAnswers(rounds);
  const counts = imagesPerRound(rounds, imageCount, template);
  if (template === "raw") {
    if (task !== undefined) {
      throw promptError(
        `task: want none with the template raw (its text is taken as it is), got ${task}`,
        "task",
      );
    }
    return rounds.map(({ prompt, answer = "" }) => prompt + answer).join("");
  }
  requireNoMarks(rounds);
  const { system, before, after } = templateParts[template];
  const texts = rounds.map(({ prompt, answer = "" }, i) => {
    const text = i === rounds.length - 1 ? tagged(prompt, task) : prompt;
    return before + pictureText.repeat(counts[i]!) + text + after + answer;
  });
  return system + texts.join("");
}

/** A text with the task's tag in front; one that is there already is not doubled. */
function tagged(text: string, task: Task | undefined): string {
  if (task === undefined) return text;
  const written = tasks.find((name) => text.startsWith(`[${name}]`));
  if (written === undefined) return `[${task}] ${text}`;
  if (written === task) return text;
  throw promptError(`task: want ${written}, with which the text begins, got ${task}`, "task");
}

function requireAnswers(rounds: readonly Round[]): void {
  rounds.forEach(({ answer }, i) => {
    const isLast = i === rounds.length - 1;
    if (isLast === (answer === undefined)) return;
    const want = isLast ? "no answer in the last round" : "an answer in every round but the last";
    const round = `rounds[${i}]`;
    throw promptError(`${round}: want ${want}, got ${isLast ? "one" : "none"}`, round);
  });
}

/** Marks in a user's text or an answer would move the pictures of all others. */
function requireNoMarks(rounds: readonly Round[]): void {
  rounds.forEach(({ prompt, answer = "" }, i) => {
    for (const [name, text] of Object.entries({ prompt, answer })) {
      if (text.includes(imageMark)) {
        const subject = `rounds[${i}].${name}`;
        throw promptError(
          `${subject}: want text without ${imageMark} (the template places the pictures), got one`,
          subject,
        );
      }
    }
  });
}

/** How many pictures each round holds; together they must be all of the request's. */
function imagesPerRound(
  rounds: readonly Round[],
  imageCount: number,
  template: Template,
): number[] {
  const isCounted = rounds.some(({ images }) => images !== undefined);
  const counts = rounds.map(({ prompt, answer = "", images }, i) => {
    if (template !== "raw") return images ?? (isCounted || i > 0 ? 0 : imageCount);
    const marks = (prompt + answer).split(imageMark).length - 1;
    if (images !== undefined && images !== marks) {
      throw promptError(
        `rounds[${i}]: want ${images} ${imageMark} for its pictures, got ${marks}`,
        `rounds[${i}]`,
      );
    }
    return marks;
  });
  const places = counts.reduce((sum, count) => sum + count, 0);
  if (places !== imageCount) {
    throw promptError(
      `images: the prompt has places for ${places} pictures, the request has ${imageCount}`,
      "images",
    );
  }
  return counts;
}

function promptError(message: string, subject: string): TinyGptvError {
  return new TinyGptvError("prompt", message, { subject });
}

/**
 * Token ids of a prompt, cut at every `imageMark` and each piece tokenised on
 * its own, as the reference does: picture i goes between segments i and i + 1.
 */
export function encodePrompt(tokenizer: Pick<Tokenizer, "encode">, text: string): number[][] {
  return text.split(imageMark).map((segment) => tokenizer.encode(segment, "prompt"));
}
