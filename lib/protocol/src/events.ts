/** What a request yields, in order: one `start`, then tokens and deltas or beams, then one `end`. */
import { z } from "zod";

const count = z.number().int().min(0);
const corners = z.tuple([z.number(), z.number(), z.number(), z.number()]);

const alternativeSchema = z.object({
  id: count,
  /** What the token decodes to on its own (U+FFFD where it is part of a character). */
  text: z.string(),
  /** The bytes it stands for, where `text` does not tell them. */
  bytes: z.array(z.number().int().min(0).max(255)).optional(),
  /** Natural logarithm of its probability under the model, before any processor. */
  logprob: z.number(),
});
/** A token that could stand at a place of an answer, with its log-probability (nats). */
export type TokenAlternative = z.infer<typeof alternativeSchema>;

/** A token of an answer, with its log-probability (nats) and rivals where they were asked for. */
export const answerTokenSchema = alternativeSchema.extend({
  logprob: alternativeSchema.shape.logprob.optional(),
  /** The most probable tokens at its place, best first. */
  top: z.array(alternativeSchema).optional(),
});
export type AnswerToken = z.infer<typeof answerTokenSchema>;

/** A rectangle found in an answer. */
export const boxSchema = z
  .object({
    phrase: z.string().describe("The phrase the box belongs to, empty where the answer names none"),
    percent: corners.describe(
      "x1, y1, x2, y2 as the model wrote them: 0 to 100 of width and height",
    ),
    pixels: corners.describe("x1, y1, x2, y2 in pixels of the original picture"),
    image: z.number().int().describe("Index of the picture among those of the request"),
  })
  .meta({ id: "Box" });
export type Box = z.infer<typeof boxSchema>;

/** A picture of a request, as the model got it. */
export const imageInfoSchema = z.object({
  /** sha256 of the picture's bytes, hex. */
  hash: z.string(),
  /** Size of the original picture, after EXIF rotation where it is applied. */
  width: count,
  height: count,
  /** Whether the vision encoder was skipped because its features were at hand. */
  cached: z.boolean(),
});
export type ImageInfo = z.infer<typeof imageInfoSchema>;

/** An answer ended by its own end mark or a stop text, or was cut at its longest. */
export const finishReasons = ["stop", "length"] as const;
export type FinishReason = (typeof finishReasons)[number];

/** A finished answer; a beam search has several. */
export const hypothesisSchema = z.object({
  /** Up to its end mark or stop text. */
  text: z.string(),
  /** All tokens, those that ended it included. */
  tokens: z.array(answerTokenSchema),
  /** Rectangles found in the text, on the last picture. */
  boxes: z.array(boxSchema),
  finishReason: z.enum(finishReasons),
  /** Beam search: sum of log-probabilities / length^lengthPenalty. */
  score: z.number().optional(),
});
export type Hypothesis = z.infer<typeof hypothesisSchema>;

/** A beam while the search runs. */
export const beamSchema = z.object({ text: z.string(), score: z.number() }).meta({ id: "Beam" });
export type Beam = z.infer<typeof beamSchema>;

/** What an answer took, in positions of the model's context. */
export const usageSchema = z.object({
  promptTokens: count,
  imageTokens: count,
  completionTokens: count,
  /** Prompt positions that came from the prefix cache. */
  cachedTokens: count,
});
export type Usage = z.infer<typeof usageSchema>;

/** Where an answer's time went, in milliseconds. */
export const timingsSchema = z
  .object({
    queue: z.number(),
    image: z.number(),
    prefill: z.number(),
    decode: z.number(),
    total: z.number(),
  })
  .describe("Milliseconds")
  .meta({ id: "Timings" });
export type Timings = z.infer<typeof timingsSchema>;

/** What happens while an answer is made: one `start`, then `token` and `delta` (or `beams`), then one `end`. */
export const generateEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("start"),
    /** `name:level` that answers; where none was asked for, the default one. */
    model: z.string(),
    promptText: z.string(),
    images: z.array(imageInfoSchema),
  }),
  z.object({ type: z.literal("token"), token: answerTokenSchema }),
  /** Text to append; never cuts a character, never shows part of a stop text. */
  z.object({ type: z.literal("delta"), text: z.string() }),
  /** Beam search: the current hypotheses, best first; replaces what was shown before. */
  z.object({ type: z.literal("beams"), hypotheses: z.array(beamSchema) }),
  z.object({
    type: z.literal("end"),
    /** Best first. */
    hypotheses: z.array(hypothesisSchema).min(1),
    usage: usageSchema,
    timings: timingsSchema,
    /** The seed a sampling ran with, drawn or given. */
    seed: z.number().optional(),
  }),
]);
export type GenerateEvent = z.infer<typeof generateEventSchema>;
/** The last event of an answer. */
export type EndEvent = Extract<GenerateEvent, { type: "end" }>;

/** How probable a given answer is, log-probabilities in nats. */
export interface CandidateScore {
  text: string;
  tokens: AnswerToken[];
  /** Mean of the tokens' log-probabilities, end symbol included. */
  meanLogprob: number;
}

/** Given answers, scored and ranked. */
export interface ScoreResult {
  candidates: CandidateScore[];
  /** Candidate indices, most probable (largest mean) first. */
  ranks: number[];
  images: ImageInfo[];
}
