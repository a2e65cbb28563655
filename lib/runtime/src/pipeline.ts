/**
 * Image to text, top to bottom: prompt and pictures -> embeddings -> decoding -> events.
 */
import type { ModelConfig } from "@tinygptv/model";
import { TinyGptvError, resolveDecoding, throwIfAborted } from "@tinygptv/protocol";
import type {
  GenerateEvent,
  GenerateRequest,
  ResolvedDecoding,
  Round,
  ScoreRequest,
  ScoreResult,
  Task,
  Template,
} from "@tinygptv/protocol";
import { decode, rowsOf } from "./decoding/decode.ts";
import type { DecodingInput } from "./decoding/decoder.ts";
import { jsonConstraint } from "./decoding/json/constrain.ts";
import { rankCandidates, scoreCandidates, scoringRows } from "./decoding/scoring.ts";
import type { Decoder, LanguageModel } from "./decoding/sequence.ts";
import { stopTexts } from "./decoding/stopping.ts";
import type { ImageMode } from "./image/picture.ts";
import { createAnswerWriter, toAnswerToken, toHypothesis } from "./pipeline/answers.ts";
import type { Adapter } from "./session/adapter.ts";
import type { TokenEmbeddings } from "./session/embeddings.ts";
import type { EncodedImage, ImageEncoder } from "./session/imageFeatures.ts";
import type { Position, PrefixCache } from "./session/prefixCache.ts";
import { buildPrompt, encodePrompt } from "./text/templates.ts";
import type { Tokenizer } from "@tinygptv/model";

/** What the walk needs of a loaded model. */
export interface PipelineParts {
  /** `name:level`, and `+adapter` where there is one. */
  id: string;
  /** What is beside the model's weights. */
  adapter?: Adapter | undefined;
  config: ModelConfig;
  tokenizer: Tokenizer;
  images: ImageEncoder;
  embeddings: TokenEmbeddings;
  languageModel: LanguageModel;
  prefixes: PrefixCache;
  /** Makes the drafts of one greedy answer from its prompt's text tokens; absent where drafts are off. */
  draft?: (prompt: readonly number[]) => NonNullable<DecodingInput["draft"]>;
  /** Runs a decoder among others (engine/scheduler.ts). */
  run<Result>(
    decoder: Decoder<Result>,
    options: {
      rows: number;
      /** What its sequences may come to take in the cache. */
      bytes: number;
      client?: string | undefined;
      signal?: AbortSignal | undefined;
    },
  ): Promise<Result>;
}

export interface WalkOptions {
  emit?: (event: GenerateEvent) => void;
  signal?: AbortSignal | undefined;
  /** On whose behalf; clients take turns. */
  client?: string | undefined;
}

/**
 * Answers one request.
 * @param pictures encoded files (PNG, JPEG, …), in the order of the prompt
 * Errors: "parameter", "prompt", "image" for what was asked; "aborted" between steps.
 */
export async function generate(
  parts: PipelineParts,
  request: GenerateRequest,
  pictures: readonly Uint8Array[],
  { emit = () => {}, signal, client }: WalkOptions,
): Promise<void> {
  const { tokenizer, languageModel } = parts;
  const clock = stopwatch();
  const decoding = resolveDecoding(request.decoding);
  const bounds = boundsOf(tokenizer, decoding);
  const prompt = await preparePrompt(parts, request, pictures, { signal, client });
  const imageTime = clock.lap();
  emit({
    type: "start",
    model: parts.id,
    promptText: prompt.text,
    images: prompt.images.map(({ info }) => info),
  });

  const { answerPrefix = [] } = request;
  requireTokens(answerPrefix, languageModel.vocabularySize);
  const writer = createAnswerWriter(tokenizer, decoding, emit);
  let cachedTokens = 0;
  let prefillTime: number | undefined;
  const decoder = continuing(parts, prompt, (start) => {
    cachedTokens = start.sequence.length;
    return decode(
      {
        model: languageModel,
        ...start,
        answerPrefix,
        beginTokenId: parts.config.tokens.endOfText,
        ...bounds,
        ...(parts.draft && decoding.method === "greedy"
          ? { draft: parts.draft(prompt.positions.filter((one) => typeof one === "number")) }
          : {}),
        emit: (event) => {
          prefillTime ??= clock.lap();
          writer.write(event);
        },
      },
      decoding,
    );
  });
  const rows = rowsOf(decoding);
  const longest = Math.min(
    prompt.positions.length + decoding.maxNewTokens,
    languageModel.contextLength,
  );
  const bytes = rows * languageModel.bytesFor(longest);
  const answers = await parts.run(decoder, { rows, bytes, client, signal });
  prefillTime ??= clock.lap();
  writer.end();

  const shown = prompt.images.at(-1)?.info;
  const picture = shown && { ...shown, image: prompt.images.length - 1 };
  const hypotheses = answers.map((answer) => toHypothesis(tokenizer, decoding, answer, picture));
  const decodeTime = clock.lap();
  emit({
    type: "end",
    hypotheses,
    usage: {
      promptTokens: prompt.positions.length,
      imageTokens: prompt.imageTokens,
      completionTokens: hypotheses.reduce((sum, { tokens }) => sum + tokens.length, 0),
      cachedTokens,
    },
    timings: {
      queue: 0,
      image: imageTime,
      prefill: prefillTime,
      decode: decodeTime,
      total: imageTime + prefillTime + decodeTime,
    },
    ...(decoding.method === "sample" ? { seed: decoding.seed } : {}),
  });
}

/** Scores given answers, teacher-forced: the reference's `multi_select` with every log-probability. */
export async function score(
  parts: PipelineParts,
  request: ScoreRequest,
  pictures: readonly Uint8Array[],
  { signal, client }: Omit<WalkOptions, "emit">,
): Promise<ScoreResult> {
  const { tokenizer, languageModel } = parts;
  const prompt = await preparePrompt(parts, request, pictures, { signal, client });
  const candidates = request.candidates.map((text, i) =>
    tokenizer.encode(text + (request.endSymbol ?? ""), `candidates[${i}]`),
  );
  const decoder = continuing(parts, prompt, (start) =>
    scoreCandidates({ model: languageModel, ...start }, candidates, request.topLogprobs),
  );
  const rows = Math.min(candidates.length, scoringRows);
  const longest = prompt.positions.length + Math.max(...candidates.map(({ length }) => length));
  // Those that are scored at once, and the prompt they all begin with.
  const bytes = (rows + 1) * languageModel.bytesFor(Math.min(longest, languageModel.contextLength));
  const scored = await parts.run(decoder, { rows, bytes, client, signal });
  return {
    candidates: scored.map(({ tokens, meanLogprob }, i) => ({
      text: request.candidates[i]!,
      tokens: tokens.map((token) => toAnswerToken(tokenizer, token)),
      meanLogprob,
    })),
    ranks: rankCandidates(scored),
    images: prompt.images.map(({ info }) => info),
  };
}

/**
 * A decoder on a prompt, of which nothing is run that is known from before. It
 * takes its sequence when it joins, not while it waits for memory to do so, and
 * afterwards leaves what it holds of the prompt for later ones.
 */
function* continuing<Result>(
  { prefixes, languageModel, adapter }: PipelineParts,
  { positions, embeds }: PreparedPrompt,
  decoderOn: (start: Pick<DecodingInput, "sequence" | "prompt">) => Decoder<Result>,
): Decoder<Result> {
  const sequence = prefixes.take(positions, adapter);
  try {
    const rest = embeds.subarray(sequence.length * languageModel.width);
    return yield* decoderOn({ sequence, prompt: { embeds: rest } });
  } finally {
    prefixes.give(sequence, positions, adapter);
  }
}

/** What both kinds of request say of their prompt. */
interface PromptFields {
  rounds: readonly Round[];
  task?: Task | undefined;
  template?: Template | undefined;
  imageMode?: ImageMode | undefined;
}

interface PreparedPrompt {
  text: string;
  images: EncodedImage[];
  imageTokens: number;
  /** What stands at each position, for the prefix cache. */
  positions: Position[];
  /** Token embeddings with the picture features among them, [positions, width]. */
  embeds: Float32Array;
}

async function preparePrompt(
  { tokenizer, images: encoder, embeddings, languageModel, config, adapter }: PipelineParts,
  { rounds, task, template = "stage4", imageMode = "display" }: PromptFields,
  pictures: readonly Uint8Array[],
  whose: Omit<WalkOptions, "emit">,
): Promise<PreparedPrompt> {
  const text = buildPrompt({ rounds, template, task, imageCount: pictures.length });
  const segments = encodePrompt(tokenizer, text);
  const { numQueryTokens } = config.qformer;
  const imageTokens = pictures.length * numQueryTokens;
  const length = segments.reduce((sum, ids) => sum + ids.length, 0) + imageTokens;
  if (length === 0)
    throw new TinyGptvError("prompt", "prompt: want at least one token, got none", {
      subject: "prompt",
    });
  if (length > languageModel.contextLength)
    throw new TinyGptvError(
      "context",
      `prompt: want at most ${languageModel.contextLength} positions, got ${length} (${imageTokens} of them pictures)`,
      { subject: "prompt" },
    );

  const images: EncodedImage[] = [];
  const options = { ...whose, mapping: adapter?.mapping };
  for (const picture of pictures) images.push(await encoder.encode(picture, imageMode, options));
  throwIfAborted(whose.signal);

  const { width } = languageModel;
  const embeds = new Float32Array(length * width);
  const positions: Position[] = [];
  segments.forEach((ids, i) => {
    embeddings.lookUp(ids, embeds, positions.length * width);
    positions.push(...ids);
    const image = images[i]; // picture i goes between segments i and i + 1
    if (!image) return;
    embeds.set(image.features, positions.length * width);
    const key = `${imageMode}/${image.info.hash}`;
    for (let query = 0; query < numQueryTokens; query++) positions.push(`${key}/${query}`);
  });
  return { text, images, imageTokens, positions, embeds };
}

/**
 * Where answers end and what is kept out of them. Stop texts of a single token
 * end a beam, all are looked for in the text. JSON ends with the end-of-text
 * token, which its constraint allows once the text is complete.
 */
function boundsOf(tokenizer: Tokenizer, { stop, badWords, jsonSchema }: ResolvedDecoding) {
  const encoded = stop.map((text) => tokenizer.encode(text));
  const singles = encoded.filter((ids) => ids.length === 1).map(([id]) => id!);
  return {
    endTokenIds: jsonSchema === undefined ? singles : [tokenizer.endOfTextId],
    ...(jsonSchema === undefined ? {} : { constraint: jsonConstraint(jsonSchema, tokenizer) }),
    isStopped: stopTexts(stop, tokenizer.tokenBytes),
    // A word is spelled differently at the start of a text and after a space.
    badWordIds: badWords.flatMap((text) => [tokenizer.encode(text), tokenizer.encode(` ${text}`)]),
  };
}

function requireTokens(ids: readonly number[], vocabularySize: number): void {
  const index = ids.findIndex((id) => id >= vocabularySize);
  if (index < 0) return;
  const subject = `answerPrefix[${index}]`;
  throw new TinyGptvError(
    "parameter",
    `${subject}: want a token id from 0 to ${vocabularySize - 1}, got ${ids[index]}`,
    { subject },
  );
}

/** Milliseconds since the last lap. */
function stopwatch(): { lap(): number } {
  let last = performance.now();
  return {
    lap() {
      const now = performance.now();
      const elapsed = now - last;
      last = now;
      return elapsed;
    },
  };
}
