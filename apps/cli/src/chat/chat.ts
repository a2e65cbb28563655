/** `tinygptv chat`: a conversation in the terminal, or a question on each line of a pipe. */
import { splitFolder } from "@tinygptv/model/disk";
import { createInterface } from "node:readline";
import { TinyGptvError, answerOf } from "@tinygptv/protocol";
import type { GenerateEvent } from "@tinygptv/protocol";
import { openModel } from "tinygptv";
import type { Model } from "tinygptv";
import { answerRecord } from "../ask/answerRecord.ts";
import { questionFields } from "../ask/questionFields.ts";
import type { QuestionFlags } from "../ask/questionFields.ts";
import { readPicture } from "../ask/readPicture.ts";
import { showAnswer } from "../ask/showAnswer.ts";
import { howToOpen } from "../commands/options.ts";
import type { ExecutionFlags } from "../commands/options.ts";
import { exitCodes, explain } from "../terminal/failure.ts";
import { isTerminal, note, noteWeights, printJson } from "../terminal/output.ts";
import { createConversation } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";

/** Options of `chat` besides the decoding parameters. */
export interface ChatFlags extends QuestionFlags, ExecutionFlags {
  level?: string;
  json?: boolean;
}

/** What a line of a conversation is about. */
interface Talk {
  readonly model: Model;
  readonly conversation: Conversation;
  readonly flags: ChatFlags;
}

const help = `A line is a question, or one of:
  /picture PATH   a picture for the next question
  /reset          forgets the conversation; pictures given at the start go with the next question again
  /help           this
  /exit           ends, as Ctrl-D does
Ctrl-C stops an answer, and ends where none is under way.`;

/** @param argument folder, and `+NAME` for an adapter beside it */
export async function chat(argument: string, images: string[], flags: ChatFlags): Promise<void> {
  questionFields(flags);
  const pictures = await Promise.all(images.map(readPicture));
  const { folder, ...adapter } = await splitFolder(argument);
  const model = await openModel(folder, { ...adapter, ...howToOpen(flags) });
  try {
    noteWeights(model.info);
    await converse({ model, conversation: createConversation(pictures), flags });
  } finally {
    await model.close();
  }
}

async function converse(talk: Talk): Promise<void> {
  const terminal = isTerminal(process.stdin) && isTerminal(process.stderr);
  // What is asked is shown beside the timings: standard output has the answers alone.
  const lines = createInterface({
    input: process.stdin,
    ...(terminal && { output: process.stderr, prompt: "> " }),
    terminal,
  });
  let answering: AbortController | undefined;
  const onInterrupt = () => {
    if (answering === undefined || answering.signal.aborted) process.exit(exitCodes.interrupted);
    answering.abort();
  };
  // A terminal in readline's hands sends no signal.
  lines.on("SIGINT", onInterrupt);
  process.on("SIGINT", onInterrupt);
  // What came before the end is still to be answered, but nobody is asked for more.
  let ended = false;
  lines.once("close", () => (ended = true));
  if (terminal) note(`${talk.model.info.id}: ask, or /help`);
  try {
    lines.prompt();
    for await (const line of lines) {
      answering = new AbortController();
      const goesOn = await takeLine(line.trim(), talk, answering.signal);
      answering = undefined;
      if (!goesOn) break;
      if (!ended) lines.prompt();
    }
  } finally {
    lines.close();
    process.off("SIGINT", onInterrupt);
  }
}

/** Does what a line says; a mistake ends nothing. @returns whether there is to be another line */
async function takeLine(line: string, talk: Talk, signal: AbortSignal): Promise<boolean> {
  try {
    if (!line.startsWith("/")) {
      if (line !== "") await answer(line, talk, signal);
      return true;
    }
    return await obey(line, talk.conversation);
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    note(explain(error, false).message);
    process.exitCode = exitCodes.failure;
    return true;
  }
}

async function obey(line: string, conversation: Conversation): Promise<boolean> {
  const [, command = "", rest = ""] = /^\/(\S*)\s*(.*)$/.exec(line) ?? [];
  switch (command) {
    case "picture":
      if (rest === "") throw new TinyGptvError("parameter", "/picture: want a path, got none");
      conversation.addPicture(await readPicture(withoutQuotes(rest)));
      return true;
    case "reset":
      conversation.reset();
      return true;
    case "help":
      note(help);
      return true;
    case "exit":
      return false;
    default:
      throw new TinyGptvError(
        "parameter",
        `command: want /picture, /reset, /help or /exit, got /${command}`,
      );
  }
}

/** A path dropped on a terminal comes in quotes where it has spaces. */
const withoutQuotes = (path: string): string => path.replace(/^(['"])(.*)\1$/, "$2");

/** One round. A stopped answer counts as far as it came; a question without any answer was not asked. */
async function answer(
  prompt: string,
  { model, conversation, flags }: Talk,
  signal: AbortSignal,
): Promise<void> {
  const asked = conversation.ask(prompt);
  let said = "";
  async function* heard(): AsyncGenerator<GenerateEvent> {
    const request = { rounds: asked.rounds, ...questionFields(flags) };
    for await (const event of model.generate(request, asked.pictures, { signal })) {
      if (event.type === "delta") said += event.text;
      yield event;
    }
  }
  try {
    const end = flags.json ? await answerOf(heard()) : await showAnswer(heard());
    if (flags.json) printJson(answerRecord(end));
    conversation.settle(asked, end.hypotheses[0]!.text);
  } catch (error) {
    if (!signal.aborted) throw error;
    if (said !== "") conversation.settle(asked, said);
    if (said !== "" && !flags.json) process.stdout.write("\n");
    note("stopped");
  }
}
