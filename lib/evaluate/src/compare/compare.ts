/**
 * What quantization costs: every level against the float32 level, on the same
 * pictures, the same prompts and the float32 level's own answers.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judge, metricOf } from "@tinygptv/protocol";
import type { PrecisionChoice, Provider } from "@tinygptv/protocol";
import { argmax, chooseExecution } from "tinygptv/parts";
import type { Execution } from "tinygptv/parts";
import { readQuestions, type Question, type QuestionSource } from "../questions.ts";
import { AgreementCollector, cosine, mean, type Agreement } from "./agreement.ts";
import { answer } from "./answer.ts";
import {
  answerText,
  embedPrompt,
  encodePictures,
  openLanguage,
  type Features,
  type Language,
} from "./parts.ts";
import { answerAll, type ReferenceAnswers } from "./referenceAnswers.ts";
import { findSubjects, type Subject } from "./subjects.ts";

/** What is compared, and with which questions. */
export interface CompareOptions extends QuestionSource {
  /** Model folders, or `folder:level`; with `+adapter` for one beside them. */
  models: readonly string[];
  /** Also the float32 level with single components of the others. */
  modules?: boolean;
  /** Tokens of an answer at most; 128 unless given. */
  maxTokens?: number;
  /** What runs the models; the processor unless given. */
  provider?: Provider;
  /** In what precision language models compute on a GPU; float32 unless given: levels are compared, not devices. */
  precision?: PrecisionChoice;
  signal?: AbortSignal;
  /** Called after each answer. */
  onProgress?: (progress: { subject: string; done: number; total: number }) => void;
}

/** One level (or single component) against the reference level. */
export interface ComparedSubject {
  name: string;
  /** Sizes of its graphs, and of the adapter's files. */
  bytes: number;
  agreement: Agreement;
  /** Cosine between its image features and the reference's. */
  features: { mean: number; min: number };
  /** Right answers of those whose reference answer is known. */
  correct: { count: number; of: number };
}

/** What a comparison of levels found. */
export interface CompareReport {
  questions: number;
  pictures: number;
  /** Answer tokens that were compared. */
  tokens: number;
  /** The reference itself first; then levels, then single components. */
  subjects: ComparedSubject[];
}

/**
 * Compares levels. One component of one level is in memory at a time.
 * Errors: "model" and "parameter" for what cannot be compared, "image" for pictures, "aborted".
 */
export async function compare(options: CompareOptions): Promise<CompareReport> {
  const { models, modules = false, maxTokens = 128, signal, onProgress } = options;
  const { provider = "cpu", precision = "float32" } = options;
  const questions = await readQuestions(options);
  const { reference, levels, modules: mixed } = await findSubjects(models);
  const execution = await chooseExecution(provider, precision);
  const compared = [reference, ...levels, ...(modules ? mixed : [])];
  const pictures = new Set(questions.map(({ image }) => image));
  const features = new Map<string, Features>();
  const featuresOf = async (subject: Subject): Promise<Features> => {
    const { folder, files, adapter = "" } = subject;
    const key = [folder, files.vision, files.qformer, files.mapping, adapter].join("|");
    const known =
      features.get(key) ?? (await encodePictures(subject, pictures, { signal, execution }));
    features.set(key, known);
    return known;
  };
  const progressOf = ({ name }: Subject, index: number) => {
    let answered = 0;
    const total = (compared.length + 1) * questions.length;
    return () =>
      onProgress?.({ subject: name, done: index * questions.length + ++answered, total });
  };

  const exact = await featuresOf(reference);
  const golden = await withLanguage(reference, execution, (language) =>
    answerAll(language, questions, exact, join(tmpdir(), `tinygptv-compare-${process.pid}`), {
      maxTokens,
      signal,
      onAnswer: progressOf(reference, 0),
    }),
  );
  try {
    const subjects: ComparedSubject[] = [];
    for (const [i, subject] of compared.entries()) {
      const own = await featuresOf(subject);
      const cosines = [...pictures].map((path) => cosine(exact.get(path)!, own.get(path)!));
      const measured = await withLanguage(subject, execution, (language) =>
        follow(language, questions, own, golden, {
          maxTokens,
          signal,
          onAnswer: progressOf(subject, i + 1),
        }),
      );
      subjects.push({
        name: subject.name,
        bytes: subject.bytes,
        ...measured,
        features: { mean: mean(cosines), min: Math.min(...cosines) },
      });
    }
    const tokens = golden.answers.reduce((sum, one) => sum + one.tokens.length, 0);
    return { questions: questions.length, pictures: pictures.size, tokens, subjects };
  } finally {
    await golden.close();
  }
}

/** Walks a model along the reference's answers; where its own would differ, lets it answer for the accuracy. */
async function follow(
  language: Language,
  questions: readonly Question[],
  features: Features,
  golden: ReferenceAnswers,
  options: { maxTokens: number; signal?: AbortSignal | undefined; onAnswer: () => void },
): Promise<Pick<ComparedSubject, "agreement" | "correct">> {
  const collector = new AgreementCollector();
  const correct = { count: 0, of: 0 };
  for (const [i, { prompt, image, reference }] of questions.entries()) {
    const { tokens, text } = golden.answers[i]!;
    const logprobs = await golden.logprobs(i);
    const embeds = embedPrompt(language, prompt, features.get(image)!);
    collector.startAnswer();
    await answer(language, embeds, options, (logits, step) => {
      collector.add(logprobs[step]!, logits, tokens[step]!, step);
      return tokens[step]!;
    });
    if (reference !== undefined) {
      // As long as it agrees on every token, its answer is the reference's.
      const own = collector.differs ? await answer(language, embeds, options, argmax) : tokens;
      correct.of++;
      const answered = collector.differs ? answerText(language, own) : text;
      if (judge(metricOf(prompt), answered, reference)) correct.count++;
    }
    options.onAnswer();
  }
  return { agreement: collector.finish(), correct };
}

async function withLanguage<T>(
  subject: Subject,
  execution: Execution,
  use: (language: Language) => Promise<T>,
): Promise<T> {
  const language = await openLanguage(subject, execution);
  try {
    return await use(language);
  } finally {
    await language.close();
  }
}
