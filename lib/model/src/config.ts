import { z } from "zod";

export const size = z.number().int().positive();
export const epsilon = z.number().positive().max(0.1);

/** Constants of CLIP's preprocessing, which the reference uses for every stage. */
export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

const visionSchema = z.strictObject({
  /** Side of the square input picture, in pixels. */
  imageSize: size,
  patchSize: size,
  width: size,
  /** Blocks that are run; the published file holds one more. */
  depth: size,
  numHeads: size,
  mlpWidth: size,
  normEps: epsilon,
  /** Epsilon of `ln_vision`, the LayerNorm between the vision transformer and the Q-Former. */
  finalNormEps: epsilon,
});

const qformerSchema = z.strictObject({
  width: size,
  numLayers: size,
  numHeads: size,
  mlpWidth: size,
  /** Every how many layers there is a cross-attention, counted from layer 0. */
  crossAttentionFrequency: size,
  numQueryTokens: size,
  layerNormEps: epsilon,
});

const phiSchema = z.strictObject({
  width: size,
  numLayers: size,
  numHeads: size,
  headDim: size,
  /** Leading entries of each head that are rotated. */
  rotaryDim: size,
  ropeTheta: z.number().positive(),
  mlpWidth: size,
  vocabSize: size,
  layerNormEps: epsilon,
  /** Epsilon of the RMS norm after attention. */
  postNormEps: epsilon,
  contextLength: size,
});

/** All dimensions and constants of one TinyGPT-V; part of every manifest. */
export const modelConfigSchema = z.strictObject({
  vision: visionSchema,
  qformer: qformerSchema,
  /** Width between the two linear maps. */
  mapping: z.strictObject({ width: size }),
  phi: phiSchema,
  tokens: z.strictObject({
    /** Begin, end and unknown token of the tokenizer (`<|endoftext|>`). */
    endOfText: z.number().int().nonnegative(),
    /** The token `###` that ends an answer. */
    stop: z.number().int().nonnegative(),
  }),
});

export type VisionConfig = z.infer<typeof visionSchema>;
export type QformerConfig = z.infer<typeof qformerSchema>;
export type PhiConfig = z.infer<typeof phiSchema>;
export type ModelConfig = z.infer<typeof modelConfigSchema>;

/** Tokens of the vision transformer: the class token and the patches. */
export function visionTokens({ imageSize, patchSize }: VisionConfig): number {
  return (imageSize / patchSize) ** 2 + 1;
}
