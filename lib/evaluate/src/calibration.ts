/** Pictures and prompts for calibrated levels, as the graphs take them. */
import type { CalibrationSet } from "@tinygptv/convert";
import { readManifest } from "@tinygptv/model/disk";
import { TinyGptvError } from "@tinygptv/protocol";
import { argmax, graphsOf } from "tinygptv/parts";
import { answer } from "./compare/answer.ts";
import { embedPrompt, encodePictures, openLanguage, readPixelValues } from "./compare/parts.ts";
import { readQuestions, type QuestionSource } from "./questions.ts";

/** What a model is calibrated with. */
export interface CalibrationOptions extends QuestionSource {
  signal?: AbortSignal;
  /** Called after each prompt. */
  onProgress?: (done: number, total: number) => void;
}

/** Levels whose answers the model is calibrated on: the smallest that is close to exact. */
const answering = ["int8", "fp16", "fp32"];

/** Tokens of an answer at most. */
const maxTokens = 128;

/**
 * Turns questions about pictures into what the language model sees of them:
 * prompt, picture features and the model's own answer, so that calibration meets
 * the inputs of use. Needs no labels.
 * Errors: "parameter" for the questions, "image" for pictures, "model" for the folder, "aborted".
 */
export async function prepareCalibration(
  folder: string,
  { signal, onProgress, ...source }: CalibrationOptions,
): Promise<CalibrationSet> {
  const questions = await readQuestions(source);
  const manifest = await readManifest(folder);
  const level = answering.find((name) => name in manifest.levels);
  if (!level)
    throw new TinyGptvError(
      "model",
      `${folder}: want one of the levels ${answering.join(", ")} to answer the questions, got ${Object.keys(manifest.levels).join(", ")}`,
    );
  const model = { folder, manifest, files: graphsOf(manifest, level) };
  const paths = [...new Set(questions.map(({ image }) => image))];
  const features = await encodePictures(model, paths, { signal });
  const pictures: Float32Array[] = [];
  for (const path of paths.slice(0, picturesKept))
    pictures.push(await readPixelValues(path, manifest));

  const language = await openLanguage(model);
  try {
    const prompts: Float32Array[] = [];
    for (const { prompt, image } of questions) {
      const embeds = embedPrompt(language, prompt, features.get(image)!);
      const tokens = await answer(language, embeds, { maxTokens, signal }, argmax);
      const whole = new Float32Array(embeds.length + tokens.length * language.model.width);
      whole.set(embeds);
      language.embeddings.lookUp(tokens, whole, embeds.length);
      prompts.push(whole);
      onProgress?.(prompts.length, questions.length);
    }
    return { pictures, prompts };
  } finally {
    await language.close();
  }
}

/** For the choice of kernels in the vision encoder a few pictures are as good as many. */
const picturesKept = 8;
