/**
 * `tinygptv ask`: the model runs in this process, which starts soonest; Ctrl-C
 * ends it at once, as nothing has to be tidied up.
 */
import { splitFolder } from "@tinygptv/model/disk";
import { TinyGptvError, answerOf } from "@tinygptv/protocol";
import type { GenerateRequest } from "@tinygptv/protocol";
import { inOrder, openModel } from "tinygptv";
import type { Model } from "tinygptv";
import { exitCodes, usageError } from "../terminal/failure.ts";
import { note, noteWeights, printJson } from "../terminal/output.ts";
import { answerRecord } from "./answerRecord.ts";
import { howToOpen } from "../commands/options.ts";
import type { ExecutionFlags } from "../commands/options.ts";
import { decodingParams } from "./decodingOptions.ts";
import { drawBoxes } from "./drawBoxes.ts";
import { questionFields } from "./questionFields.ts";
import type { QuestionFlags } from "./questionFields.ts";
import { readPicture } from "./readPicture.ts";
import { readRequests } from "./requests.ts";
import type { AskRequest } from "./requests.ts";
import { showAnswer } from "./showAnswer.ts";

/** Options of `ask` besides the decoding parameters. */
export interface AskFlags extends QuestionFlags, ExecutionFlags {
  prompt?: string;
  jsonl?: string;
  level?: string;
  draw?: string;
  batch: number;
  json?: boolean;
}

/** @param model folder, and `+NAME` for an adapter beside it */
export async function ask(model: string, images: string[], flags: AskFlags): Promise<void> {
  if ((flags.prompt === undefined) === (flags.jsonl === undefined)) {
    throw usageError("request: want either --prompt or --jsonl");
  }
  if (flags.jsonl === undefined) await askOne(model, images, flags);
  else await askMany(model, flags.jsonl, images, flags);
}

async function askOne(argument: string, images: string[], flags: AskFlags): Promise<void> {
  if (flags.draw !== undefined && images.length === 0) {
    throw usageError("draw: want a picture to draw on, got none");
  }
  const { imageMode } = flags;
  const request: GenerateRequest = {
    rounds: [{ prompt: flags.prompt ?? "", images: images.length }],
    ...questionFields(flags),
  };
  const pictures = await Promise.all(images.map(readPicture));
  const { folder, ...adapter } = await splitFolder(argument);
  const model = await openModel(folder, { ...adapter, ...howToOpen(flags) });
  try {
    noteWeights(model.info);
    const events = model.generate(request, pictures);
    const end = flags.json ? await answerOf(events) : await showAnswer(events);
    if (flags.json) printJson(answerRecord(end));
    if (flags.draw !== undefined) {
      await drawBoxes(pictures.at(-1)!, imageMode ?? "display", end.boxes, flags.draw);
      note(`${flags.draw}: ${end.boxes.length === 1 ? "one box" : `${end.boxes.length} boxes`}`);
    }
  } finally {
    await model.close();
  }
}

/** Answers every request, some at once; lines come out in the order of the file. */
async function askMany(
  argument: string,
  path: string,
  images: string[],
  flags: AskFlags,
): Promise<void> {
  const [stranger] = [...images, ...flagsOfOneRequest(flags)];
  if (stranger !== undefined) {
    throw usageError(`${stranger}: want it in the lines of the --jsonl file, got it beside it`);
  }
  const { batch } = flags;
  const requests = await readRequests(path);
  const { folder, ...adapter } = await splitFolder(argument);
  const model = await openModel(folder, { maxBatch: batch, ...adapter, ...howToOpen(flags) });
  try {
    noteWeights(model.info);
    const answers = inOrder(requests, batch, (request) => answer(model, request));
    for await (const record of answers) {
      if ("error" in record) process.exitCode = exitCodes.failure;
      printJson(record);
    }
  } finally {
    await model.close();
  }
}

/** What is given that belongs to one request: in a file of requests each has its own. */
function flagsOfOneRequest(flags: AskFlags): string[] {
  const { task, template, imageMode, draw } = flags;
  const given = { task, template, imageMode, draw, ...decodingParams({ ...flags }) };
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** A request that cannot be answered (its picture is gone) does not end the others. */
async function answer(model: Model, { request, images }: AskRequest): Promise<object> {
  try {
    const pictures = await Promise.all(images.map(readPicture));
    return answerRecord(await answerOf(model.generate(request, pictures)));
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    const { code, message } = error;
    return { error: { code, message } };
  }
}
