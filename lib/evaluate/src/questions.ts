/** Pictures with prompts, to compare and to calibrate with. */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readJsonLines, wrongData } from "@tinygptv/datasets";
import { z } from "zod";

/** What is asked about a picture, to see how well it is answered. */
export interface Question {
  /** Path of the picture. */
  readonly image: string;
  readonly prompt: string;
  /** The right answer, where it is known. */
  readonly reference?: string | undefined;
}

/** Asked about every picture of a folder: one sentence, several, with boxes, and free. */
const defaultPrompts = [
  "[caption] describe this image",
  "[grounding] describe this image as detailed as possible",
  "describe the image in detail",
  "What do you see?",
];

const pictureName = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif)$/i;

/** Other fields of a line are not looked at. */
const questionSchema = z.object({
  image: z.string().min(1),
  prompt: z.string().min(1),
  reference: z.string().optional(),
});

/** Where questions about pictures come from. */
export interface QuestionSource {
  /** Folder of pictures. */
  images?: string | undefined;
  /** JSON lines: `{"image": path, "prompt": text, "reference": text}`, the last optional. */
  questions?: string | undefined;
  /** Questions at most, taken evenly from all. */
  limit?: number | undefined;
}

/**
 * Reads questions. Their pictures' paths start at `images`, or at the file's own
 * folder; without a file every picture of the folder gets the same four prompts.
 * Errors: code "parameter", naming the file and line.
 */
export async function readQuestions(source: QuestionSource): Promise<Question[]> {
  const all = await (source.questions === undefined
    ? aboutPictures(source.images)
    : fromFile(source.questions, source.images));
  const limit = Math.min(source.limit ?? all.length, all.length);
  return Array.from({ length: limit }, (_, i) => all[Math.floor((i * all.length) / limit)]!);
}

async function aboutPictures(folder: string | undefined): Promise<Question[]> {
  if (folder === undefined) throw wrongData("images", "a folder of pictures", "none");
  const names = await readdir(folder).catch((cause: Error) => {
    throw wrongData(folder, "a folder of pictures", cause.message, cause);
  });
  const pictures = names.filter((name) => pictureName.test(name)).toSorted();
  if (pictures.length === 0) throw wrongData(folder, "a folder with pictures", "one without any");
  return pictures.flatMap((name) =>
    defaultPrompts.map((prompt) => ({ image: join(folder, name), prompt })),
  );
}

async function fromFile(path: string, images = dirname(path)): Promise<Question[]> {
  const lines = await readJsonLines(path, questionSchema);
  if (lines.length === 0) throw wrongData(path, "at least one question", "none");
  return lines.map(({ value }) => ({ ...value, image: join(images, value.image) }));
}
