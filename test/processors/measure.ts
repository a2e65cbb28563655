/**
 * What a processor makes of two models, printed as JSON: `measure.ts NANO MICRO`.
 * A program, because a process has one processor, emulated or not.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cosine, mean } from "../../lib/evaluate/src/compare/agreement.ts";
import { answer } from "../../lib/evaluate/src/compare/answer.ts";
import { embedPrompt, encodePictures, openLanguage } from "../../lib/evaluate/src/compare/parts.ts";
import { readManifest } from "../../lib/model/src/readManifest.ts";
import type { IntegerWeights } from "../../lib/protocol/src/engine.ts";
import { argmax } from "../../lib/runtime/src/decoding/logSoftmax.ts";
import { graphsOf } from "../../lib/runtime/src/engine/parts.ts";
import { integerWeightsOf } from "../../lib/runtime/src/session/integerWeights.ts";
import { compareNeighbours } from "./neighbours.ts";
import type { Neighbours } from "./neighbours.ts";

export interface Measured {
  /** How the level int8 of nano multiplies the vision encoder's weights. */
  integerWeights: IntegerWeights | undefined;
  /** Between the picture features of nano's int8 and of its fp32; the mean over pictures. */
  featureCosine: number;
  /** Greedy answers of nano's fp32 and of the reference, as token ids. */
  greedy: { own: number[]; reference: number[] }[];
  /** `nano:int8` -> what neighbours and chunks change. */
  neighbours: Record<string, Neighbours>;
}

interface Question {
  image: string;
  prompt: string;
  greedy: { ids: number[] };
}

/** Questions of the evaluation, as far apart as these: other pictures, other kinds. */
const [everyQuestion, questionCount, answerTokens] = [250, 2, 12];

const evaluation = fileURLToPath(new URL("../../models/nano/eval", import.meta.url));
const [nano, micro] = process.argv.slice(2) as [string, string];
const measured: Measured = {
  ...(await lookAndAnswer(nano)),
  neighbours: { ...(await neighboursIn(nano)), ...(await neighboursIn(micro)) },
};
process.stdout.write(JSON.stringify(measured));

async function lookAndAnswer(folder: string) {
  const lines = (await readFile(join(evaluation, "eval.jsonl"), "utf8")).trim().split("\n");
  const questions = lines
    .filter((_, i) => i % everyQuestion === 0)
    .slice(0, questionCount)
    .map((line) => JSON.parse(line) as Question);
  const pathOf = ({ image }: Question) => join(evaluation, image);
  const exact = await modelAt(folder, "fp32");
  const rounded = await modelAt(folder, "int8");
  const features = await encodePictures(exact, questions.map(pathOf));
  const less = await encodePictures(rounded, features.keys());

  const language = await openLanguage(exact);
  const greedy: Measured["greedy"] = [];
  for (const question of questions) {
    const embeds = embedPrompt(language, question.prompt, features.get(pathOf(question))!);
    const own = await answer(language, embeds, { maxTokens: answerTokens }, argmax);
    greedy.push({ own, reference: question.greedy.ids.slice(0, answerTokens) });
  }
  await language.close();
  return {
    integerWeights: await integerWeightsOf(join(folder, rounded.files.vision)),
    featureCosine: mean([...features].map(([path, own]) => cosine(own, less.get(path)!))),
    greedy,
  };
}

async function neighboursIn(folder: string): Promise<Measured["neighbours"]> {
  const { name, levels } = await readManifest(folder);
  const found: Measured["neighbours"] = {};
  for (const level of Object.keys(levels)) {
    const language = await openLanguage(await modelAt(folder, level));
    found[`${name}:${level}`] = await compareNeighbours(language.model);
    await language.close();
  }
  return found;
}

async function modelAt(folder: string, level: string) {
  const manifest = await readManifest(folder);
  return { folder, manifest, files: graphsOf(manifest, level) };
}
