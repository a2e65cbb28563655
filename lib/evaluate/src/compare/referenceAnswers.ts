import { open, rm, type FileHandle } from "node:fs/promises";
import { viewAs } from "@tinygptv/model";
import { argmax, logSoftmax } from "tinygptv/parts";
import { answer } from "./answer.ts";
import { answerText, embedPrompt, type Features, type Language } from "./parts.ts";
import type { Question } from "../questions.ts";

/** What the reference level answers, with the distribution behind every token. */
export interface ReferenceAnswers {
  readonly answers: readonly { tokens: readonly number[]; text: string }[];
  /** Log-probabilities before each token of an answer, [tokens][vocabulary]. */
  logprobs(answer: number): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/**
 * Answers all questions greedily. The distributions go to a file: those of a
 * few thousand tokens of the full vocabulary would not fit into memory.
 * @param path where that file may be; removed by `close`
 */
export async function answerAll(
  language: Language,
  questions: readonly Question[],
  features: Features,
  path: string,
  { maxTokens, signal, onAnswer }: AnswerAllOptions,
): Promise<ReferenceAnswers> {
  const vocabulary = language.model.vocabularySize;
  const rowBytes = 4 * vocabulary;
  const file = await open(path, "w+");
  try {
    const answers: { tokens: number[]; text: string; offset: number }[] = [];
    let offset = 0;
    for (const { prompt, image } of questions) {
      const embeds = embedPrompt(language, prompt, features.get(image)!);
      const rows: Uint8Array[] = [];
      const tokens = await answer(language, embeds, { maxTokens, signal }, (logits) => {
        const row = new Float32Array(vocabulary);
        logSoftmax(logits, row);
        rows.push(new Uint8Array(row.buffer));
        return argmax(logits);
      });
      for (const row of rows) await file.writeFile(row);
      answers.push({ tokens, text: answerText(language, tokens), offset });
      offset += rows.length * rowBytes;
      onAnswer();
    }
    return {
      answers,
      async logprobs(index) {
        const { tokens, offset: start } = answers[index]!;
        const bytes = new Uint8Array(tokens.length * rowBytes);
        await file.read(bytes, 0, bytes.byteLength, start);
        return tokens.map((_, i) =>
          viewAs(Float32Array, bytes.subarray(i * rowBytes, (i + 1) * rowBytes)),
        );
      },
      close: () => remove(file, path),
    };
  } catch (error) {
    await remove(file, path);
    throw error;
  }
}

export interface AnswerAllOptions {
  maxTokens: number;
  signal?: AbortSignal | undefined;
  onAnswer: () => void;
}

async function remove(file: FileHandle, path: string): Promise<void> {
  await file.close();
  await rm(path, { force: true });
}
