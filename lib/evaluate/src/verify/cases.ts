/** Whole answers against the reference's: tokens, texts, scores and ranks must be equal. */
import { fromTransformers, resolveDecoding } from "@tinygptv/protocol";
import {
  decode,
  minLength,
  noRepeatNgram,
  repetitionPenalty,
  rowsOf,
  scoreCandidates,
  temperature,
  tokenSequences,
  topK,
  topP,
} from "tinygptv/parts";
import type { DecodedAnswer, LogitsProcessor } from "tinygptv/parts";
import type { GoldenTensors, ModelGolden } from "./goldenSet.ts";
import type { Report } from "./report.ts";
import {
  embedGoldenPrompt,
  embedPrompt,
  encodeSegments,
  type SpeakingSubject,
  type Subject,
} from "./subject.ts";

type Features = readonly Float32Array[];
type Golden<K extends keyof ModelGolden> = NonNullable<ModelGolden[K]>;

/** Beam scores and losses: relative, plus absolute. */
const scoreTolerance = { relative: 1e-5, absolute: 1e-4 };

/** One call of the reference's `generate` on embeddings. */
async function run(
  subject: SpeakingSubject,
  embeds: Float32Array,
  params: Record<string, unknown>,
  stopSequences: readonly (readonly number[])[] = [],
): Promise<DecodedAnswer[]> {
  const { languageModel, scheduler, config } = subject;
  const given = fromTransformers(params);
  const decoding = resolveDecoding(given.params, () => 0);
  const sequence = languageModel.create();
  try {
    const decoder = decode(
      {
        model: languageModel,
        sequence,
        prompt: { embeds },
        answerPrefix: [],
        beginTokenId: given.beginTokenId ?? config.tokens.endOfText,
        endTokenIds: given.endTokenIds ?? [],
        isStopped: tokenSequences(stopSequences),
        badWordIds: [],
      },
      decoding,
    );
    return await scheduler.run(decoder, { rows: rowsOf(decoding) });
  } finally {
    languageModel.release(sequence);
  }
}

const idsOf = ({ tokens }: DecodedAnswer) => tokens.map(({ id }) => id);

export function checkTokenization(
  subject: Subject,
  prompts: Golden<"prompts">,
  report: Report,
): void {
  for (const { text, segment_ids } of prompts)
    report.case("tokenization", text, encodeSegments(subject, text), segment_ids);
}

export async function checkGeneration(
  subject: SpeakingSubject,
  cases: Golden<"generation">,
  prompts: Golden<"prompts">,
  features: Features,
  report: Report,
): Promise<void> {
  const embeds = prompts.map((prompt) => embedGoldenPrompt(subject, prompt, features));
  for (const { kind, prompt, params, eos_token_id, tokens, text, sequences_scores, id } of cases) {
    const name = `${kind} ${id ?? ""} on prompt ${prompt}`;
    const answers = await run(subject, embeds[prompt]!, { ...params, eos_token_id });
    const got = {
      tokens: answers.map(idsOf),
      text: answers.map((a) => subject.tokenizer.decodeReference(idsOf(a))),
    };
    report.case(`${kind}: tokens and text`, name, got, { tokens, text });
    if (sequences_scores)
      report.outcome(
        `${kind}: scores`,
        compareNumbers(
          name,
          answers.map(({ score }) => score!),
          sequences_scores,
        ),
      );
  }
}

/** The reference's batched `generate(images, texts)`, all rows at once, with its padding and its text clean-up. */
export async function checkBatch(
  subject: SpeakingSubject,
  { texts, images, segment_ids, cases }: Golden<"batch">,
  features: Features,
  report: Report,
): Promise<void> {
  const segments = texts.map((text) => encodeSegments(subject, text));
  if (segment_ids) report.case("tokenization", "batch", segments, segment_ids);
  const embeds = segments.map((ids, i) => embedPrompt(subject, ids, [features[images[i]!]!]));
  for (const [
    i,
    { params, eos_token_id: end, pad_token_id, tokens, raw_sequences, answers },
  ] of cases.entries()) {
    const results = await Promise.all(
      embeds.map((one) => run(subject, one, { ...params, eos_token_id: end })),
    );
    const got = results.map(([best]) => idsOf(best!));
    // Finished rows are filled up to the longest; unless told otherwise with the end token.
    const longest = Math.max(...got.map(({ length }) => length));
    const begin = subject.config.tokens.endOfText;
    const raw = got.map((ids) => [
      begin,
      ...ids,
      ...Array<number>(longest - ids.length).fill(pad_token_id ?? end),
    ]);
    report.case("batch: tokens", `case ${i}`, got, tokens);
    report.case("batch: raw sequences", `case ${i}`, raw, raw_sequences);
    const cleaned = raw.map((ids) => cleanAnswer(subject.tokenizer.decodeReference(ids)));
    report.case("batch: answers", `case ${i}`, cleaned, answers);
  }
}

/** The reference's clean-up after `generate`. */
function cleanAnswer(text: string): string {
  const answer = text.split("</s>")[0]!.replaceAll("<s>", "");
  return answer.split("[/INST]").at(-1)!.trim();
}

/** The demos' conversations, round after round. */
export async function checkChat(
  subject: SpeakingSubject,
  chats: Golden<"chat">,
  features: Features,
  report: Report,
): Promise<void> {
  const { width } = subject.languageModel;
  for (const [i, chat] of chats.entries())
    for (const [j, round] of chat.rounds.entries()) {
      const name = `chat ${i}, round ${j}`;
      const { max_new_tokens } = chat.generation;
      let embeds = embedPrompt(subject, encodeSegments(subject, round.prompt), [
        features[chat.image]!,
      ]);
      // The demos cut the oldest embeddings so that prompt and answer fit.
      const surplus = embeds.length / width + Number(max_new_tokens) - chat.max_length;
      embeds = embeds.subarray(Math.max(0, surplus) * width);
      report.case("chat: prompt length", name, embeds.length / width, round.embeds_length);
      const [answer] = await run(subject, embeds, chat.generation, chat.stop_sequences);
      report.case("chat: tokens", name, idsOf(answer!), round.tokens);
      const text = subject.tokenizer.decodeReference(idsOf(answer!)).split("###")[0]!;
      report.case("chat: answers", name, text.split("Assistant:").at(-1)!.trim(), round.answer);
    }
}

/** Choice among candidates: the training loss of each after the prompt, with the begin token in front. */
export async function checkMultiSelect(
  subject: SpeakingSubject,
  cases: Golden<"multi_select">,
  features: Features,
  report: Report,
): Promise<void> {
  const { languageModel, scheduler, tokenizer, config } = subject;
  /** What the reference puts in place of the loss of a candidate beyond `num_cand`. */
  const beyond = 9999;
  for (const [i, one] of cases.entries()) {
    const ids = one.candidates.map((text) => tokenizer.encode(text + one.end_sym));
    report.case("tokenization", `multi_select ${i}`, ids, one.ids);
    const [first = [], ...rest] = encodeSegments(subject, one.text);
    const segments = [[config.tokens.endOfText, ...first], ...rest];
    const prompt = { embeds: embedPrompt(subject, segments, [features[one.image]!]) };
    const sequence = languageModel.create();
    const scores = await scheduler
      .run(scoreCandidates({ model: languageModel, sequence, prompt }, ids))
      .finally(() => languageModel.release(sequence));
    const losses = scores.map(({ meanLogprob }) => -meanLogprob);
    report.outcome("multi_select: losses", compareNumbers(`multi_select ${i}`, losses, one.losses));
    const count = one.num_cand?.[0] ?? losses.length;
    const ranked = losses.map((loss, candidate) => (candidate < count ? loss : beyond));
    const ranks = ranked
      .map((_, candidate) => candidate)
      .toSorted((a, b) => ranked[a]! - ranked[b]!);
    report.case("multi_select: ranks", `multi_select ${i}`, [ranks], one.ranks);
  }
}

/** Logits processors by the names golden data calls them. */
const processors: Record<string, (value: number, end: number) => LogitsProcessor> = {
  repetition_penalty: repetitionPenalty,
  no_repeat_ngram_size: noRepeatNgram,
  min_length: (value, end) => minLength(value, [end]),
  temperature,
  top_k: topK,
  top_p: topP,
};

export async function checkProcessors(
  { history, cases }: Golden<"processors">,
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const logits = await tensors.get("processors.logits");
  for (const { tensor, steps, eos_token_id } of cases) {
    const want = await tensors.get(tensor);
    if (!logits || !want) continue;
    const got = Float32Array.from(logits);
    const width = got.length / history.length;
    history.forEach((tokens, row) => {
      const view = got.subarray(row * width, (row + 1) * width);
      for (const [name, value] of steps) processors[name]!(value, eos_token_id)(view, tokens);
    });
    const different = got.findIndex(
      (value, i) => !(value === want[i] || Math.abs(value - want[i]!) <= 1e-6),
    );
    const name = steps.map(([step, value]) => `${step} ${value}`).join(", ");
    report.outcome(
      "logits processors",
      different < 0
        ? undefined
        : `${name}: at ${different}: want ${want[different]}, got ${got[different]}`,
    );
  }
}

/** What is wrong with a list of scores, or undefined. */
function compareNumbers(
  name: string,
  got: readonly number[],
  want: readonly number[],
): string | undefined {
  const { relative, absolute } = scoreTolerance;
  const isClose = (value: number, i: number) =>
    Math.abs(value - want[i]!) <= absolute + relative * Math.abs(want[i]!);
  if (got.length === want.length && got.every(isClose)) return undefined;
  return `${name}: want [${want.join(", ")}], got [${got.join(", ")}]`;
}
